"""What this machine gives: ports, files, sockets, processes of pip, the state folder."""
