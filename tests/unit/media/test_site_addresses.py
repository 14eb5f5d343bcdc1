"""Addresses and pictures as site generators write them: the path that they name, and merge fields in texts alone."""

from __future__ import annotations

import pytest

from eventflow.domain.values import PictureAsset
from handlers.generation.errors import ScriptError
from handlers.generation.script.content import Image, Paragraph, cells_of
from handlers.generation.script.inline import plain
from handlers.generation.script.picture_references import Pictures
from handlers.generation.script.script import lay_out_script, open_script, parse_script, pictures_of, read_script
from handlers.generation.script.site_addresses import resolved

ASSET = f"as_{'0' * 32}"


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("{{ site.baseurl }}/assets/a.jpg", "/assets/a.jpg"),
        ("{{site.baseurl}}/a.jpg", "/a.jpg"),
        ("{{ '/a.png' | relative_url }}", "/a.png"),
        ('{{ "/a.png" | prepend: site.baseurl | prepend: site.url }}', "/a.png"),
        ("{{ site.baseurl }}/{{ '/a.png' }}", "/a.png"),
        ("{{ url_for('static', filename='img/a.png') }}", "img/a.png"),
        ('{{< ref "posts/a.md" >}}', "posts/a.md"),
        ('{{% relref path="a.md" lang="en" %}}', "a.md"),
        ("{{< ref a.md >}}#part", "a.md#part"),
        ("{% link _posts/a.md %}", "_posts/a.md"),
        ("{% post_url 2023-10-29-a %}", "2023-10-29-a"),
        ("{% static 'img/a.png' %}", "img/a.png"),
        ("{% if page.x %}/a.png{% endif %}", "/a.png"),
        ("https://a.org{{ page.url }}", "https://a.org"),
        ("{{ page.image }}", "{{page.image}}"),
        ("a.png", "a.png"),
    ],
)
def test_an_address_is_the_path_that_it_names(address: str, path: str) -> None:
    assert resolved(address) == path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("![a]({{ site.baseurl }}/a.jpg)", "/a.jpg"),
        ("![a](<{{ site.baseurl }}/a.jpg>)", "/a.jpg"),
        ("![a]({{ '/a.png' | relative_url }} \"A title\")", "/a.png"),
        ("![a][b]\n\n[b]: {{ site.url }}/a.png", "/a.png"),
        ('<img src="{{ "/a.png" | absolute_url }}" alt="a">', "/a.png"),
        ("<p align=\"center\"><img src='{{ site.url }}/a.png'></p>", "/a.png"),
        ("[![a]({{ page.image }})]({{ page.url }})", "{{page.image}}"),
        ('{{< figure src="/a.png" alt="A" caption="B" >}}', "/a.png"),
        ('{% include figure image_path="/a.png" alt="A" caption="B" %}', "/a.png"),
        ("{% include image.html url=a.png %}", "a.png"),
    ],
)
def test_pictures_of_sites_are_named_by_their_paths(text: str, address: str) -> None:
    (reference,) = pictures_of(open_script(f"# T\n\n{text}\n"))
    assert reference.address == address


def test_links_of_sites_are_their_texts() -> None:
    text = 'See [a]({{< ref "b.md" >}}), [c]({% post_url d %}) and <a href="{{ site.url }}/e">f</a>.'
    script = parse_script(text)
    assert [line.text for scene in script.scenes for line in scene.lines] == ["See a, c and f."]


def test_a_picture_of_a_site_has_its_caption_below() -> None:
    text = '{{< figure src="/a.png" alt="A [x]" caption="The *caption*." >}}'
    opened = open_script(text)
    pictures = Pictures(known={"/a.png": PictureAsset("/a.png", ASSET)})
    script = lay_out_script(opened, read_script(opened), pictures=pictures)
    image, caption = (cell for scene in script.scenes for cell in cells_of(scene.blocks))
    assert image == Image(ASSET, "A [x]", step=0)
    assert isinstance(caption, Paragraph)
    assert plain(caption.sentences[0].spans) == "The caption."


def test_code_and_fields_in_texts_stay() -> None:
    body = "`[a]({{ b }}/c)` d\n\n```\n![a]({{ b }}/c)\n```\n\n{{name}}"
    assert open_script(body).body == body
    with pytest.raises(ScriptError, match=r"merge field \{\{site\.title\}\} has no value"):
        parse_script("[a]({{ site.url }}/b) of {{ site.title }}")
