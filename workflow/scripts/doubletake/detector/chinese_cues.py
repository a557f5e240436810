"""Patterns of Chinese words with which a thought turns back, settles or answers.

The list has the form of the English one (`cue_patterns`, `stated_numbers`). It is
written by hand and is not measured on real Chinese thoughts.
"""

import re

_HAN = re.compile("[\u4e00-\u9fff]")
_PAUSE = r"(?:\W|\d{1,2}[.)\u3001\uff0e]\s*)*+"
_FILLER = (
    rf"{_PAUSE}(?:(?:好的?|嗯+|那么?|所以|哦|噢|啊|呃|然后|现在|接下来|其实|最后|是的|对)"
    rf"(?=[\s,\uff0c\u3002\u3001\u2026]|让我|我|再|等|检|验){_PAUSE}){{0,3}}"
)
_BUT = rf"(?:(?:但是|但|不过|可是|然而|只是){_PAUSE})"
_AGAIN = r"(?:再|重新|仔细|反复|最后|先|也|还|一步步|快速)"
_CHECK_VERB = (
    r"(?:检查|检验|验证|验算|核对|核实|确认|复查|复核|审题|重算|重读|再算|再看|再读|再想"
    r"|回顾|想一想|想想|思考|代入|(?:计?算|读|看|想|数|过)(?:一|几)?(?:遍|下|次|看))"
)
_INTENT = (
    r"(?:让我们?|我们?(?:来|要|想|可以|应该|需要|得|还是)*|为了(?:保险|确保|确认)\S{0,6}"
    r"|需要|可以|应该|还是|来)"
)
# ASSUME: these forms, written by hand, are all ways to turn back.
_FORMS = {
    "wait": rf"{_BUT}?(?:等等|等一等|等一下|等下|等会儿|慢着|且慢|稍等)",
    "alternatively": rf"{_BUT}?(?:或者|要么|又或者)(?!说)",
    "another": rf"{_BUT}?(?:{_INTENT})?{_AGAIN}?(?:用|换|有没有|试试|考虑)?"
    r"(?:另外?一?[种个]|别的|其他的?|换一?[种个]|不同的)(?:方法|方式|思路|角度|算法|做法|解法|理解|可能)",
    "check": rf"{_BUT}?{_INTENT}{_AGAIN}*{_CHECK_VERB}",
    "checking": rf"{_BUT}?(?:{_AGAIN}+{_CHECK_VERB}"
    r"|(?:验算|检验|检查|核对|验证)(?:一下|一遍|[:\uff1a,\uff0c]))",
    "doubt": rf"{_BUT}?(?:是不是|会不会|难道|是否|有没有|真的是?|这样对吗|对吗"
    r"|为什么|如果|要是|万一|莫非|这合理吗)(?=[^\n]{0,120}[?\uff1f])",
    "wonder": rf"{_BUT}?(?:不对(?!称)|好像(?:不对|错了|有问题)|有点?(?:奇怪|不对)"
    r"|我(?:可能|好像|是不是|会不会)?(?:[算看想弄搞读理]解?)?错了?"
    r"|我不(?:太)?(?:确定|肯定)"
    r"|这(?:好像|似乎|看起来)?(?:不对|不合理|有问题|太[大小多少]))",
    "but": rf"{_BUT}(?=[^\n]{{0,120}}(?:[?\uff1f]|{_AGAIN}{_CHECK_VERB}|可能|会不会"
    r"|也许))",
    "hmm": r"嗯+(?=[^\n]{0,120}(?:[?\uff1f]|但是|不过|也许|会不会))",
}
CUE = re.compile(
    rf"(?P<filler>{_FILLER})(?:{'|'.join(f'(?P<{k}>{v})' for k, v in _FORMS.items())})"
)
CONSEQUENCE = re.compile(rf"{_PAUSE}(?:所以|因此|那么|于是|这样)")
TAG_QUESTION = re.compile(r"(?:对吧|对吗|是吧|好吗|对不对)[?\uff1f]")
NEW_TURN = re.compile(
    rf"{_BUT}?(?:等等|等一下|慢着){_PAUSE}(?:但|不过|会不会|也许|是不是)"
)
VERDICT = re.compile(
    rf"^{_PAUSE}(?:对|是的|没错|正确|很好|嗯,?\uff0c?对)|没(?:有)?(?:问题|错误?)|(?:是|都)(?:正确|对)的?"
    r"|一致|吻合|相符|说得通|验证了|答案(?:是)?正确|结果(?:相同|一样)"
)
OTHER_READING = re.compile(r"误解|歧义|另一种(?:理解|意思)|理解错|看错题")
SUSPICION = re.compile(r"不对|错|也许|可能|会不会|是不是|难道|奇怪|[?\uff1f]")
RETURN_TO_TEXT = re.compile(
    r"审题|(?:再|重新)(?:读|看)(?:一?[遍下次])?(?:题|问题|原题)|题目(?:说|中|里|问|要求)"
    r"|问题(?:是|问|要求)|原题"
)
OTHER_METHOD = re.compile(
    r"(?:另|换|别的|不同的).{0,4}(?:方法|方式|思路|角度|算法|解法)"
)
COUNTERFACTUAL = re.compile(r"(?:如果|要是|假如)[^。，,]{0,30}(?:本来|当时|原来)")
METHOD = re.compile(r"(?:也|还)?可以(?:用|先|直接|把|这样|计?算|考虑)")
CHECK_WORD = re.compile(r"检查|检验|验|核|确认")
RAISED_DOUBT = re.compile(r"(?:但是?|不过)?(?:也许|可能|会不会|是不是|如果|万一)")
GUESS = re.compile(r"\W*(?:也许|可能|或许)")
AGREEMENT = re.compile(r"\W*(?:对|是的|没错|应该是)")
SAME_AGAIN = re.compile(r"(?:这|那|结果)(?:也|还|仍然?)?(?:是|就是)?(?:一样|相同|同样)")
SUPPOSITION = re.compile(r"也许|可能|如果|要是|会不会")

CONCLUDES = re.compile(
    "所以|因此|因而|总共|一共|共有|答案|应该|必须|综上|于是|从而|剩下|还剩|确定"
)
DEDUCES = "所以|因此|因而|综上|于是|从而|最后|总共|一共|那么"
ENDS = re.compile(
    "最终答案|最后答案|答案(?:就|应该)?(?:是|为)(?!(?:正确|对)的)|综上"
    "|^\\W*(?:所以|因此).*\\d"
)
COMMITS = re.compile(
    "(?:答案|结论|结果)[^\u3002\uff0c,;\\n]{0,24}?(?:是|为|等于|=|:|\uff1a)"
    "(?!不|否|什么|多少)"
)
ANSWER_WORD = re.compile("答案|结论|结果")
RESULT_BEFORE = re.compile(
    "(?:等于|得到?|得出|就?是|为|共有?|还?剩下?(?:的是)?|余下|变成|达到|有|即)"
    r"(?:了|约|大约|大概|只|仅|整整|正好|刚好)?[\s$(*]*$"
)
HYPOTHETICAL = re.compile("如果|假如|假设|要是|倘若|的话")
_OPERATION = "(?:乘以?|加上?|减去?|除以|的(?:一半|[二三四五六七八九十]分之))"
OPERAND_AFTER = re.compile(rf"\s?[\u4e00-\u9fff]?{_OPERATION}")
OPERAND_BEFORE = re.compile(rf"(?:{_OPERATION}|[每从第])\s?$")


def in_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return not text.isascii() and _HAN.search(text) is not None
