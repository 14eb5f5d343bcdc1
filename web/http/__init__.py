"""HTTP mechanics that every route shares; read `middleware` first, then `errors` and `auth`.

Each `AppKey` is defined beside the class that it holds, here and in the rooms above.
"""
