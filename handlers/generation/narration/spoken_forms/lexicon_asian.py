"""Words of Asian languages for the rules; see `words`. Data."""

from typing import Final

from handlers.generation.narration.spoken_forms.words import Lexicon

#: Japanese days and months in kana: not every voice reads their characters.
_DAYS: Final = (
    "ついたち ふつか みっか よっか いつか むいか なのか ようか ここのか とおか 11にち 12にち 13にち じゅうよっか "
    "15にち 16にち 17にち 18にち 19にち はつか 21にち 22にち 23にち にじゅうよっか 25にち 26にち 27にち "
    "28にち 29にち 30にち 31にち"
)
_MONTHS: Final = (
    "いちがつ にがつ さんがつ しがつ ごがつ ろくがつ しちがつ はちがつ くがつ じゅうがつ じゅういちがつ じゅうにがつ"
)

LEXICONS: Final = {
    "zh": Lexicon(
        to="到",
        about="大约",
        dot="点",
        squared="的平方",
        cubed="的立方",
        dollars=("美元", "美元"),
        yen="CNY",
        percent="百分之{}",
        per_second="每秒{}",
        magnitudes=("万亿", "万", "亿"),
    ),
    "yue": Lexicon(to="至", percent="百分之{}", yen="CNY"),
    "ja": Lexicon(
        to="から",
        about="やく",
        dollars=("ドル", "ドル"),
        per_second="まいびょう{}",
        magnitudes=("万", "億", "兆"),
        readings={
            "平方": "へいほう",
            "立方": "りっぽう",
            "時速": "じそく",
            "毎時": "まいじ",
            "秒速": "びょうそく",
            "毎秒": "まいびょう",
            "摂氏": "せっし",
            "華氏": "かし",
            "度": "ど",
            "分": "ふん",
            "秒": "びょう",
            "時間": "じかん",
            "馬力": "ばりき",
            "円": "えん",
        },
        days=tuple(_DAYS.split()),
        date="{year}ねん {month} {day}",
        months=tuple(_MONTHS.split()),
    ),
    "ko": Lexicon(
        to="에서",
        about="약 ",
        dot="점",
        point="점",
        dollars=("달러", "달러"),
        percent="{}퍼센트",
        magnitudes=("만", "억", "조"),
    ),
    "hi": Lexicon(to="से", about="लगभग", dot="डॉट", dollars=("डॉलर", "डॉलर"), before_word={"डॉ.": "डॉक्टर"}),
    "bn": Lexicon(to="থেকে"),
    "ur": Lexicon(to="سے"),
    "vi": Lexicon(to="đến", dollars=("đô la", "đô la"), percent="{} phần trăm"),
    "id": Lexicon(to="sampai", dollars=("dolar", "dolar")),
    "ms": Lexicon(to="hingga", dollars=("dolar", "dolar")),
}
