"""Matches: which positions stand alike, so that a comparison shows the turn alone?"""
