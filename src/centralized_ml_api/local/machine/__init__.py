"""Uses what the machine offers: ports, sockets, file descriptors, files, pip, the state folder."""
