"""Read by Python at its start: every name below .localhost is this machine (RFC 6761), which glibc does not know."""

import socket

resolve = socket.getaddrinfo


def resolve_loopback(host, *args, **kwargs):
    return resolve("127.0.0.1" if isinstance(host, str) and host.endswith(".localhost") else host, *args, **kwargs)


socket.getaddrinfo = resolve_loopback
