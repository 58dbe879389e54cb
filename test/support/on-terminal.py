# Runs a command on a terminal of its own (a pseudo terminal) of the given width, and writes what it shows to standard output.
# Usage: on-terminal.py COLUMNS WORD... ; SIGINT is passed on as Ctrl-C. Ends with the status of the command.
import fcntl, os, pty, signal, struct, sys, termios

columns = int(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 0 if columns == 0 else 24, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGINT, lambda *_: os.write(terminal, b"\x03"))
while True:
    try:
        shown = os.read(terminal, 65536)
    except OSError:
        break
    if not shown:
        break
    os.write(1, shown)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
