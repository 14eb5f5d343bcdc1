"""The OpenAPI document; `spec` puts it together and comes first.

Its rooms are above the routes, whose limits and names it repeats.
"""
