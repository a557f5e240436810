"""Attribution: which words make the model turn back?"""
