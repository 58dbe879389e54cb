"""Lets docs/examples/read_bundle.py judge one bundle after another. On each line of stdin: the bundle, a tab, the keys with tabs
between. On each line of stdout: its exit status, a tab, its reason."""
import sys

sys.path.insert(0, sys.argv[1])
import read_bundle  # noqa: E402

keys = {}


def judge(path, names):
    try:
        for name in names:
            keys.setdefault(name, None)
            keys[name] = keys[name] or read_bundle.Key(name)
        read_bundle.check(path, [keys[name] for name in names])
        return 0, "accepted"
    except read_bundle.Refused as refused:
        return refused.status, str(refused)
    except Exception as error:  # what a reader of the page did not think of is a finding
        return 99, repr(error)


for line in sys.stdin:
    status, reason = judge(*(lambda path, *names: (path, names))(*line.rstrip("\n").split("\t")))
    print(status, ascii(reason), sep="\t", flush=True)
