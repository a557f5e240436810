"""Exit transfer: does a threshold that one study has chosen also suit another study?"""
