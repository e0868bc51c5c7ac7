"""What a person is shown, as plain dictionaries that become JSON. Reads the node, never changes it.

Every dictionary is a TypedDict: the API's OpenAPI document is made from these types, and its tests hold
every answer against them.
"""
