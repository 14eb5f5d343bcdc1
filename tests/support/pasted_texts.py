# ruff: noqa: E501
"""Other texts as people paste them, all our own: texts by the names of their files."""

from __future__ import annotations

from typing import Final

PLAIN: Final[dict[str, str]] = {
    "poem-fr.txt": """\
Le port du soir

La mer remonte sous les pontons,
les mâts se penchent l'un vers l'autre,
un phare épelle son prénom.

Nous comptons les lampes une à une,
et la dernière,
c'est la nôtre.
""",
    "hard-wrapped.txt": """\
                     THE LAST LAMPLIGHTER

                          CHAPTER I.
                       Of Gas and Glass

    In the year the gas came to our town my uncle was given a ladder,
a brass hook and a list of four hundred and twelve lamps.  He lit them
all, every evening, in the same order, and he said that the order was
the only thing that kept the dark from notic-
ing him.

    "You must never begin with the bridge," he told me.  "The bridge
is for the end."

                            * * *

    I was nine when he let me carry the ladder.

                              -3-
""",
    "slide-outline.txt": """\
Slide 1: Title Slide
Title: The future of rail
Subtitle: Why night trains are back
Speaker notes: Welcome everyone and introduce yourself.

Slide 2: The problem
• Flights under 800 km are 4 % of emissions
• Prices do not show it
\t– taxes differ
\t– airports are subsidised
Visual: bar chart of emissions by distance
Speaker notes: Pause after the first number.

Slide 3: Thank you!
Q&A
""",
    "thread.txt": """\
Most people boil pasta wrong. A thread 🧵👇

1/ Use less water. You don't need a big pot.

2/ Salt it like soup, not like the sea.

3/ Keep a cup of the water. It binds the sauce.

4/4 That's it. If you liked this, follow @pastaperson and RT the first tweet 🙏
https://t.example/abc123
#cooking #pasta
""",
    "bullets-pasted.txt": """\
7 facts about octopuses

① They have three hearts.
② Their blood is blue.
③ They taste with their arms.

• Size
\to The smallest is 2 cm long
\to The largest spans 9 m
\t§ records differ
➢ They live alone
✓ They use tools
– They sleep in two phases
""",
    "caps-headings.txt": """\
HOW TO REPOT A PLANT

WHAT YOU NEED
A pot one size larger, fresh soil and a trowel.

STEP 1: LOOSEN THE ROOTS
Tip the pot and pull gently.

STEP 2: FILL AND WATER
Leave a finger of space below the rim.

1. AFTER CARE
1.1 Light
Keep it out of the sun for a week.
1.2 Water
Water when the top is dry.
""",
    "recipe-it.txt": """\
Frittata di zucchine

Porzioni: 4 | Preparazione: 10 min | Cottura: 20 min | Difficoltà: facile

Ingredienti
6 uova
2 zucchine
½ cucchiaino di sale
1/2 bicchiere di latte
q.b. pepe

Preparazione
1) Tagliate le zucchine a rondelle.
2) Sbattete le uova con il latte.
3) Cuocete a fuoco basso per 20'.

Consiglio: è buona anche fredda.
""",
    "quiz.txt": """\
1. Which planet has the shortest day?
A) Mars
B) Jupiter
C) Venus
D) Earth
Answer: B

2. Water boils at 100 °C at sea level. (True/False)
Answer: True
Explanation: The pressure there is 1 atm.

3. The capital of Norway is ________.
Answer: Oslo
""",
    "press-release-email.txt": """\
From: Press Office <press@acme.example>
To: Editors
Date: Mon, 3 Mar 2025 09:00:00 +0100
Subject: FW: Acme opens its second workshop

FOR IMMEDIATE RELEASE

Acme opens its second workshop

BONN, Germany – March 3, 2025 – Acme today opened a second workshop.

> On Sun, Mar 2, 2025 at 18:00 Ida wrote:
> Please send it tomorrow.

About Acme
Acme repairs bicycles.

Media contact: Ida Holm, +49 228 000000, press@acme.example

###

--
Sent from my phone
This e-mail is confidential. If you are not the intended recipient, delete it.
""",
    "minutes-pt.txt": """\
ATA DA REUNIÃO – 12/03/2025, 14h30

Presentes: Ana, Bruno, Carla
Ausentes: Davi

1. Abertura
Ana abriu a reunião às 14h35.

2. Orçamento
Decisão: aprovado por unanimidade.
Ação: Bruno envia a planilha até 20/03.
""",
    "numbered-essay.txt": """\
1 Introduction
Rivers carry sand.
1.1 Scope
We look at two rivers.
2 Method
(a) We took water.
(b) We let it settle.
i. coarse sand
ii. fine sand
""",
    "chat-export.txt": """\
You said:
write a script about rain
ChatGPT said:
Here's a short script you can use:

"Rain begins as dust. Water gathers around it, and falls."

Word count: 9
Would you like me to adapt it for Instagram?
""",
    "tts-tags.txt": """\
[enthusiastic] Welcome to Small Talk! [pause: 2s] Today (whispers) we bake bread.
{{pause 1s}} <break time="0.5s"/> *laughs* Let's go… ^_^
""",
    "teleprompter.txt": """\
Have you ever wondered
why the sky is blue?

It's not the sea.
It's the air.

Blue light scatters more.
So it comes from everywhere.
""",
    "bold-headings.md": """\
**Introduction**

The sky is blue.

**Why it happens:**

Blue light scatters more.

**Conclusion**

Now you know.
""",
}

MARKUP: Final[dict[str, str]] = {
    "rst.rst": """\
=======
Rivers
=======

:Author: Ida Holm
:Date: 2025-03-03

.. note:: Rivers are old.

What they carry
---------------

Use ``flow()`` or :func:`flow.run`. See `the atlas <https://example.org/>`_.

.. code-block:: python

   flow()

.. image:: river.png
   :alt: A river

* sand
* salt
""",
    "asciidoc.adoc": """\
= Rivers
Ida Holm <ida@example.org>
v1.0, 2025-03-03
:toc:
:icons: font

== What they carry

NOTE: Rivers are old.

. sand
. salt
.. fine salt

[source,python]
----
flow()
----

image::river.png[A river]

|===
|River |Length

|Rhine |1230 km
|===
""",
    "org.org": """\
#+TITLE: Rivers
#+OPTIONS: toc:nil

* TODO What they carry                                       :sand:
:PROPERTIES:
:ID: 123
:END:
- sand
- [[https://example.org][the atlas]] says /a lot/ and =flow()=

#+BEGIN_SRC python
flow()
#+END_SRC
""",
    "beamer.tex": """\
\\documentclass{beamer}
\\usetheme{Madrid}
\\title{Rivers}
\\author{Ida Holm}
\\begin{document}
\\frame{\\titlepage}
\\begin{frame}{What they carry}
  \\begin{itemize}
    \\item<1-> sand, about 20\\,\\%
    \\item<2-> \\textbf{salt} % more than sand
  \\end{itemize}
  \\note{Pause here.}
\\end{frame}
\\end{document}
""",
    "notebook.ipynb": """\
{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Rivers\\n", "\\n", "They carry sand."]}, {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [{"name": "stdout", "output_type": "stream", "text": ["42\\n"]}], "source": ["print(42)"]}], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
""",
    "html-page.html": """\
<!DOCTYPE html>
<html><head><title>Rivers</title><style>p{color:red}</style><script>var a = 1;</script></head>
<body><nav><a href="/">Home</a> | <a href="/about">About</a></nav>
<h1>Rivers</h1>
<p>Rivers carry&nbsp;sand &amp; salt.</p>
<ul><li>sand</li><li>salt</li></ul>
<footer>&copy; 2025 Example</footer></body></html>
""",
    "ssml.txt": """\
<speak>
Welcome to Small Talk. <break time="1s"/>
<emphasis level="strong">Today</emphasis> we bake bread. [pause 2s] [excited] Let's go!
</speak>
""",
    "confluence.txt": """\
h1. Rivers
{toc}
{panel:title=Remember}
Rivers are *old*.
{panel}
{info}They carry sand.{info}
* sand
** fine sand
# first
||River||Length||
|Rhine|1230 km|
{code:python}flow(){code}
!river.png|thumbnail!
[the atlas|https://example.org]
""",
}

CONTROLS: Final[dict[str, str]] = {
    "control-glossary.md": """\
# Words

Delta: flat land at a river's mouth.
Weir: a low dam.
Narrator: the voice that tells a story.

Visual: what is seen.
""",
    "control-event.txt": """\
Garden day

Date: Saturday, 3 May
Time: 10:00–14:00
Place: Town park
Host: Ida Holm

Bring gloves. Scene of the crime: the old shed.
""",
    "control-readme.txt": """\
acme-tool
=========

Usage: acme [OPTIONS]
Note: needs Python 3.11.
Warning: deletes files.

    $ acme run --fast
    done

Author: Ida Holm
License: MIT
""",
    "control-citations.md": """\
# Sleep

Sleep helps memory [1, 2] (see Fig. 3). Most adults need 7–9 h (Ruiz, 2019).

## Methods (2019)

We asked 40 people [sic].
""",
    "control-api-doc.md": """\
# Player

**Video:** the file to play.

**Audio:** its sound track.

**Text:** the caption.

## Example [1.2.0]

[Note: deprecated] Use `play()`.

[Unreleased]: https://example.org
""",
    "control-list-of-times.md": """\
# Programme

- 10:00–10:30 Welcome
- 10:30–11:15 Music: the town band
- 11:15 Speaker: Ida Holm
""",
}
