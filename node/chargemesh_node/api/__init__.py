"""The local HTTP API, and the phone page on it: Starlette on uvicorn, over loopback and a unix socket.

guard    who may ask at all: Host, Origin, token
table    every route: its handler, what it takes and what it answers
*_routes the handlers: parse, command, view
server   sockets, start and stop
"""
