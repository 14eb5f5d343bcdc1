# ruff: noqa: E501
"""Scripts, scene lists and talks as people paste them, all our own: texts by the names of their files."""

from __future__ import annotations

from typing import Final

VIDEO: Final[dict[str, str]] = {
    "chat-script.md": """\
Sure! Here's a 45-second script for your video about bees:

---

### 🎬 **Video Title:** Why Bees Dance

**⏱️ Duration:** 45 seconds
**🎵 Music:** Light acoustic guitar

---

#### 🪝 Hook (0–5s)
🎥 *Close-up of a bee on a flower*
🎙️ **Voiceover:** "What if I told you that bees give directions by dancing?"

#### 🐝 Scene 1: The waggle (5–20s)
🎥 *Animation: bee walks in a figure eight*
🎙️ **Voiceover:** "A forager walks in a straight line and shakes. The angle shows the way to the food."
📝 **On-screen text:** Angle = direction

#### 📣 CTA (20–30s)
🎙️ **Voiceover:** "Follow for more, and tell me in the comments: did you know?"

---

**Caption:** Bees can dance! 🐝
#bees #nature #science #learnontiktok

Let me know if you'd like a longer version or a different tone!
""",
    "shot-list.txt": """\
SHOT 1 (3 sec): Wide shot, empty classroom
VO: Every Monday looked the same.

SHOT 2 (4 sec): Close up, a hand picks up chalk
VO: Until somebody asked a question.
SUPER: "Why?"

SHOT 3 (5 sec): Kids laugh
SFX: Bell rings
VO: Then everything changed.
FADE OUT.
""",
    "tiktok-zh.txt": """\
【标题】为什么猫会踩奶？
【时长】30秒
【开头 0-3秒】
画面：猫在毯子上踩来踩去
旁白：你家的猫为什么总在踩奶？
【正文 3-20秒】
画面：小猫喝奶
旁白：小猫踩奶，是为了让妈妈的奶水流出来。
字幕：踩奶 = 想妈妈
【结尾 20-30秒】
旁白：喜欢就点个关注吧！
#猫咪 #科普
""",
    "script-ja.txt": """\
タイトル：コーヒーの豆知識

■シーン1（0:00〜0:10）
【映像】湯気の立つカップ
ナレーション：コーヒーは、実は果物の種です。
（間）
■シーン2（0:10〜0:20）
【テロップ】焙煎で味が変わる
ナレーション：焙煎が、味を決めます。
♪BGM：ジャズ
""",
    "script-de.txt": """\
Videoskript: Warum wir gähnen (30 Sek.)

[00:00–00:05] EINSTIEG
Bild: Mann gähnt im Bus
Sprecher (aus dem Off): Gähnen steckt an. Aber warum?

[00:05–00:25] HAUPTTEIL
Einblendung: 55 % der Menschen gähnen mit
Sprecherin: Forscher denken, dass es das Gehirn kühlt.
(Pause)

[00:25–00:30] ABSPANN
Sprecher: Abonnieren Sie den Kanal!
""",
    "label-then-block.md": """\
# 🎬 Demo video script: Acme Notes

**Duration:** 40 seconds
**Format:** Screen recording + voiceover

## 📋 Before recording

- [ ] Close all other windows
- [ ] Test the microphone

## Script

### [0:00 – 0:15] Intro (15 seconds)

**Screen:**
- Landing page
- Pan to the dashboard

**Voiceover:**
> "Welcome to Acme Notes. It keeps what you write in one place."

**Text overlay:**
```
Acme Notes
Free for teams
```

### [0:15 – 0:40] Search (25 seconds)

**[SHOW]:** The search box, "budget" is typed

**[SAY]:**
```
"Type a word, and every note that has it is there."
```

**Tone:** calm
""",
    "spoken-visual.md": """\
## [0:00] HOOK

**[SPOKEN]**
You have heard that glass is a slow liquid. It isn't.

**[VISUAL]** Close-up of an old window

## [0:10] INTRO

**[SPOKEN]**
Let's see why.

**[B-ROLL]** Glass blower
""",
    "table-narrow.md": """\
| Audio (what you say) | Visual (what appears on screen) |
|---|---|
| "Nobody told me this." | Close-up face |
| "So I tried it." | Text overlay: 30 days |
""",
    "script-ko.txt": """\
제목: 하품은 왜 옮을까?

[0:00-0:05] 오프닝
화면: 버스에서 하품하는 남자
내레이션: 하품은 옮습니다. 왜 그럴까요?
(잠시 멈춤)
[0:05-0:20] 본론
자막: 55%가 따라 합니다
내레이션: 뇌를 식히기 때문입니다.
""",
    "script-ar.txt": """\
العنوان: لماذا نتثاءب؟

المشهد 1 (0:00 - 0:10)
الصورة: رجل يتثاءب في الحافلة
الراوي: التثاؤب معدٍ. لكن لماذا؟

المشهد 2 (0:10 - 0:20)
نص على الشاشة: 55٪ من الناس
الراوي: يبرد الدماغ.
""",
    "sheet.tsv": """\
Time\tVisual\tVoiceover
0:00\tLogo on white\tWelcome to Acme.
0:05\tDashboard\tEverything is in one place.
""",
    "script-in-fence.md": """\
Here's your script:

```
[INTRO]
NARRATOR: Yeast eats sugar.
[SHOW: dough]
NARRATOR: The dough grows.
```
""",
}

LISTS: Final[dict[str, str]] = {
    "scene-list.json": """\
{
  "title": "How bread rises",
  "total_duration": 30,
  "scenes": [
    {"scene_number": 1, "duration": "0-10s", "visual_description": "A bowl of dough under a cloth", "narration": "Yeast eats sugar and gives off gas.", "on_screen_text": "Yeast + sugar = gas"},
    {"scene_number": 2, "duration": "10-20s", "visual_description": "Time lapse of rising dough", "narration": "The gas is caught in the dough, and the dough grows.", "on_screen_text": ""},
    {"scene_number": 3, "duration": "20-30s", "visual_description": "A loaf comes out of the oven", "narration": "Heat sets the crumb. Bread is done.", "on_screen_text": "Enjoy!"}
  ]
}
""",
    "scene-list-fenced.md": """\
Here is the JSON you asked for:

```json
[
  {"speaker": "Host", "text": "Welcome back to Small Talk."},
  {"speaker": "Mara", "text": "Thanks for having me."}
]
```
""",
    "scene-list.yaml": """\
title: How bread rises
scenes:
  - id: 1
    duration: 10
    visual: A bowl of dough under a cloth
    voiceover: Yeast eats sugar and gives off gas.
  - id: 2
    duration: 10
    visual: Time lapse of rising dough
    voiceover: The gas is caught in the dough, and the dough grows.
""",
    "sections-json.json": """\
{"hook": "Glass is not a liquid.", "outline": [{"section": "Why", "duration": "0:20", "content": "Old panes are thick below because they were made so.", "brollSuggestions": ["old window"]}], "cta": "Follow for more."}
""",
    "array.json": """\
[
  {"scene": 1, "narration": "Yeast eats sugar.", "image_prompt": "dough under a cloth, soft light"},
  {"scene": 2, "narration": "The dough grows.", "image_prompt": "time lapse of dough"}
]
""",
    "other-tool.json": """\
{"scenes": [{"text": "Yeast eats sugar.", "searchTerms": ["dough", "bread"]}, {"text": "The dough grows.", "searchTerms": ["rising"]}], "config": {"paddingBack": 1500, "music": "chill"}}
""",
    "fenced.md": """\
Sure! Here's your storyboard:

```json
{"scenes": [{"scene": 1, "narration": "Yeast eats sugar.", "visual": "dough"}]}
```

Want me to add music cues?
""",
}

TALKS: Final[dict[str, str]] = {
    "screenplay.txt": """\
FADE IN:

INT. KITCHEN - NIGHT

Rain beats on the window. ANNA (40) pours tea.

                    ANNA
          You are late again.

                    BEN (O.S.)
               (out of breath)
          The bridge was closed.

CUT TO:

EXT. BRIDGE - DAWN

A red sign swings in the wind.

                    ANNA (V.O.)
          He never told me which bridge.

FADE OUT.
""",
    "podcast-whisper.txt": """\
[00:00:00.000 --> 00:00:03.200]  Speaker 1: Welcome back to Small Talk. [music]
[00:00:03.200 --> 00:00:06.480]  Speaker 2: Thanks for having me.
[00:00:06.480 --> 00:00:12.000]  Speaker 1: So, um, how did you start? [laughs]
[00:00:12.000 --> 00:00:15.900]  Speaker 2: With a borrowed camera [crosstalk] and no plan.
""",
    "interview-de.txt": """\
Interview mit Jana Roth, Imkerin

Moderator: Frau Roth, wie sind Sie zur Imkerei gekommen?
Jana Roth: Durch meinen Großvater. (lacht) Er hatte zwölf Völker.
Moderator: Und heute?
Jana Roth: Heute sind es achtzig.
""",
    "otter-transcript.txt": """\
Weekly planning
Tue, Mar 4, 2025 10:00AM • 12:31

SUMMARY KEYWORDS
budget, launch, hiring

SPEAKERS
Dana Fox, Lee Park

Dana Fox  00:04
Good morning. We have two things to settle today.

Lee Park  00:09
First the launch. I think we should move it to May.

Dana Fox  00:15
Agreed. Then the budget.
""",
    "subtitles.srt": """\
1
00:00:00,000 --> 00:00:02,500
Every river begins small.

2
00:00:02,500 --> 00:00:06,000
A spring, a thread of water
between two stones.

3
00:00:06,000 --> 00:00:09,000
♪ (soft music) ♪

4
00:00:09,000 --> 00:00:12,000
<i>And then it grows.</i>
""",
    "subtitles-es.vtt": """\
WEBVTT
Kind: captions
Language: es

00:00.000 --> 00:02.000 align:start position:0%
<v Lucía>Todo río nace pequeño.

00:02.000 --> 00:05.000
<v Pablo>Y termina en el mar.

NOTE revisar antes de publicar
""",
    "two-hosts.md": """\
**Alex:** Welcome to the deep dive. Today: why we yawn.

**Jordan:** Right, and it's *not* just because we're tired.

**Alex:** [chuckles] Exactly. So what is it?

**Jordan:** Cooling. The brain runs hot. Think of it this way: a yawn is a fan.
""",
    "qa.txt": """\
Q: What is a delta?
A: Flat land at a river's mouth.

Q: Is the Nile's the largest?
A: No. The Ganges delta is larger.
""",
}
