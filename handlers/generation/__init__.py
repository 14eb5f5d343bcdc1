"""The generation engine: from a request to scenes, pages, speech, segments and MP4 files.

The order in which data passes the rooms:

- `handler` takes the events of the generation group; `job_adapter` makes a brief of the request, and one of the
  `pipelines` plans, narrates and renders it (records in `model` and `render_model`)
- planning: `script` lays the text out in scenes (of a topic `planner` first has scenes written, over `http_services`);
  `encoding/quality_cap` limits the qualities
- narration of each scene: `reuse` looks for the same scene, `narration` speaks it, `audio` sets its loudness
- rendering of each scene: `pages` draws it, or `text_to_video` orders a clip; `audio` mixes music; `encoding` encodes
  pictures and sound into segments on the `time_grid`
- assembly: `encoding/assemble` joins the segments, `extras` makes thumbnails, storyboard, preview and sound file, and
  `narration/caption_files` the captions

`catalogue` lists pipelines and voices for requesters. `script`, `narration/captions` and `encoding/timeline` are pure.
"""
