import type { Category } from "./case";

const py = String.raw;

/** Connections out. `{{PORT}}` is open on this machine, and nothing may arrive there. */
export const network: Category = {
  category: "network",
  cases: [
    {
      id: "connect to the listener",
      code: "import socket\nsocket.create_connection(('127.0.0.1', {{PORT}}), 1)",
      expect: "error",
    },
    {
      id: "connect by raw socket",
      code: "import socket\ns = socket.socket()\ns.connect(('127.0.0.1', {{PORT}}))",
      expect: "error",
    },
    {
      id: "connect by descriptor",
      code: "import socket\nfor fd in range(10):\n    try: socket.socket(fileno=fd).connect(('127.0.0.1', {{PORT}}))\n    except Exception as e: print(fd, type(e).__name__)",
      expect: ["ok", "error"],
    },
    {
      id: "http",
      code: "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{{PORT}}/', timeout=1)",
      expect: "error",
    },
    {
      id: "http client",
      code: "import http.client\nc = http.client.HTTPConnection('localhost', {{PORT}}, timeout=1)\nc.request('GET', '/')",
      expect: "error",
    },
    {
      id: "metadata service",
      code: "import urllib.request\nurllib.request.urlopen('http://169.254.169.254/latest/meta-data/', timeout=1)",
      expect: "error",
    },
    {
      id: "asyncio stream",
      code: "import asyncio\nasync def f(): await asyncio.open_connection('127.0.0.1', {{PORT}})\nasyncio.run(f())",
      expect: "error",
    },
    { id: "listen", code: "import socket\ns = socket.socket()\ns.bind(('', 0))\ns.listen()", expect: "error" },
    {
      id: "accept on every descriptor",
      code: "import _socket\nfor fd in range(8):\n    try: _socket.socket(2, 1, 0, fd)._accept()\n    except Exception as e: print(type(e).__name__)",
      expect: ["ok", "error"],
    },
    { id: "name lookup", code: "import socket\nprint(socket.gethostbyname('localhost'))", expect: "error" },
    { id: "socket pair", code: "import socket\nsocket.socketpair()", expect: "error" },
    {
      id: "datagram",
      code: "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {{PORT}}))",
      expect: "error",
    },
    {
      id: "file url",
      code: "import urllib.request\nprint(urllib.request.urlopen('file://{{CANARY}}').read())",
      expect: "error",
    },
    { id: "mail", code: "import smtplib\nsmtplib.SMTP('127.0.0.1', {{PORT}}, timeout=1)", expect: "error" },
    {
      id: "browser",
      code: "import webbrowser\nprint(webbrowser.open('http://127.0.0.1:{{PORT}}/'))",
      expect: ["error", "ok"],
    },
    {
      id: "host name",
      code: "import platform\nprint(repr(platform.node()), platform.machine())",
      expect: "ok",
      stdout: /^'(\(none\)|)' wasm32\n$/,
    },
  ],
};

/** Walks through objects, frames and code: allowed, but nothing capable lies behind them. */
export const introspection: Category = {
  category: "introspection and code objects",
  cases: [
    {
      id: "constructor walk",
      code: "x = []\nx.constructor.constructor('return process')()",
      expect: "error",
      stderr: /AttributeError/,
    },
    {
      id: "class walk",
      code: "print(any(c.__name__ in ('Popen', 'JsProxy', 'CDLL') for c in ().__class__.__mro__[1].__subclasses__()))",
      expect: "ok",
      stdout: /^False\n$/,
    },
    {
      id: "frames",
      code: "import sys\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\nprint(f.f_globals['__name__'], f.f_code.co_filename)",
      expect: "ok",
      stdout: /^__main__ <stdin>\n$/,
    },
    {
      id: "frame of a traceback",
      code: "try: 1 / 0\nexcept Exception as e: print(e.__traceback__.tb_frame.f_back)",
      expect: "ok",
      stdout: /^None\n$/,
    },
    {
      id: "objects of the collector",
      code: "import gc\nprint(any(isinstance(o, dict) and ('label' in o or 'answer' in o) for o in gc.get_objects()))",
      expect: "ok",
      stdout: /^False\n$/,
    },
    {
      id: "search of all files for an answer",
      code: "import glob\nprint([p for p in glob.glob('/**', recursive=True) if not p.startswith('/usr')])",
      expect: "ok",
      stdout: /^\['\/', '\/tmp'\]\n$/,
    },
    {
      id: "arguments and environment",
      code: "import sys, os\nprint(sys.argv, dict(os.environ), os.getcwd())",
      expect: "ok",
      stdout: /^\['-'\] \{\} \/\n$/,
    },
    {
      id: "identity",
      code: "import os\nprint([getattr(os, n)() for n in ('getpid', 'getuid', 'getppid') if hasattr(os, n)])",
      expect: ["ok", "error"],
    },
    {
      id: "code with unknown opcodes",
      code: "f = lambda: 0\nf.__code__ = f.__code__.replace(co_code=bytes(range(256)) * 2)\nf()",
      expect: ["crash", "error"],
    },
    {
      id: "code that reads beyond its locals",
      code: "import opcode\nf = lambda: 0\nL, R = opcode.opmap['LOAD_FAST'], opcode.opmap['RETURN_VALUE']\nf.__code__ = f.__code__.replace(co_code=bytes([L, 255, R, 0]))\nprint(type(f()))",
      expect: ["crash", "error", "ok", "oom"],
    },
    {
      id: "code that empties the stack",
      code: "import opcode\nf = lambda: 0\nP = opcode.opmap['POP_TOP']\nf.__code__ = f.__code__.replace(co_code=bytes([P, 0] * 5000))\nf()",
      expect: ["crash", "error", "ok"],
    },
    {
      id: "code that writes beyond its stack",
      code: "import opcode\nf = lambda: 0\nC = opcode.opmap['LOAD_CONST']\nf.__code__ = f.__code__.replace(co_code=bytes([C, 0] * 10**6), co_consts=(1,))\nf()",
      expect: ["crash", "error", "ok"],
    },
    {
      id: "code without end",
      code: "import opcode\nf = lambda: 0\nJ = opcode.opmap['JUMP_BACKWARD']\nf.__code__ = f.__code__.replace(co_code=bytes([151, 0, J, 1]))\nf()",
      expect: "timeout",
    },
    {
      id: "marshal of noise",
      code: "import marshal, random\nrandom.seed(5)\nn = 0\nfor i in range(2000):\n    try: marshal.loads(random.randbytes(30))\n    except Exception: n += 1\nprint('end')",
      expect: ["ok", "crash", "oom", "error"],
    },
    {
      id: "marshalled code run",
      code: "import marshal\nexec(marshal.loads(marshal.dumps(compile('print(6 * 7)', 'a', 'exec'))))",
      expect: "ok",
      stdout: /^42\n$/,
    },
    {
      id: "pickle that calls",
      code: "import pickle\npickle.loads(b'cos\\nsystem\\n(S\"touch {{CANARY}}\"\\ntR.')",
      expect: "error",
    },
    {
      id: "pickle of noise",
      code: "import pickle, random\nrandom.seed(6)\nfor i in range(3000):\n    try: pickle.loads(b'\\x80\\x04' + random.randbytes(30) + b'.')\n    except BaseException: pass\nprint('end')",
      expect: ["ok", "crash", "oom"],
    },
    { id: "eval of eval", code: 'print(eval("eval(\'eval(\\"1 + 1\\")\')"))', expect: "ok", stdout: /^2\n$/ },
    {
      id: "builtins through a closure",
      code: "print(type(print.__self__).__name__, (lambda: 0).__builtins__ is __builtins__.__dict__)",
      expect: "ok",
      stdout: /^module True\n$/,
    },
    {
      id: "type confusion by __class__",
      code: "class A: pass\nclass B:\n    __slots__ = 'x'\na = A()\na.__class__ = B",
      expect: "error",
      stderr: /TypeError/,
    },
    {
      id: "address guessed",
      code: "class P:\n    pass\nimport gc\nprint(hex(id(P)) != '0x0', hasattr(gc, 'get_objects'))",
      expect: "ok",
      stdout: /^True True\n$/,
    },
    {
      id: "use after free in a sort",
      code: "l = list(range(100))\nclass K:\n    def __init__(s, v): s.v = v\n    def __lt__(s, o):\n        l.append(1)\n        return s.v < o.v\nl.sort(key=K)",
      expect: "error",
      stderr: /ValueError: list modified during sort/,
    },
    {
      id: "dict changed while compared",
      code: "d = {}\nclass K:\n    def __hash__(s): return 1\n    def __eq__(s, o):\n        d.clear()\n        return False\nfor i in range(50): d[K()] = i\nprint('end')",
      expect: "ok",
      stdout: /^end\n$/,
    },
    {
      id: "set_name tampered builtins type",
      code: "int.__add__ = lambda a, b: 0",
      expect: "error",
      stderr: /TypeError: cannot set '__add__' attribute of immutable type 'int'/,
    },
    {
      id: "bytes of a freed buffer",
      code: "b = bytearray(100)\nm = memoryview(b)\nb.extend(b'x')",
      expect: "error",
      stderr: /BufferError/,
    },
    {
      id: "memory released under an iterator",
      code: "import io\nb = io.BytesIO(b'x' * 100)\nm = b.getbuffer()\nb.close()",
      expect: "error",
      stderr: /BufferError/,
    },
    {
      id: "known crash: nested tee",
      code: "import itertools\na = itertools.tee(iter([1]))[0]\nfor _ in range(10**5): a = itertools.tee(a)[0]\nprint('end')",
      expect: ["ok", "crash"],
    },
    {
      id: "known crash: re-entrant iterator",
      code: "class I:\n    def __index__(s):\n        del a[:]\n        return 1\na = bytearray(10)\ntry: a[I()] = 5\nexcept Exception as e: print(type(e).__name__)",
      expect: ["ok", "crash", "error"],
    },
    {
      id: "audit hook that refuses everything",
      code: "import sys\ndef h(*a): raise RuntimeError('no')\nsys.addaudithook(h)\nopen('/tmp/x', 'w')",
      expect: "error",
      notes: "it refuses the traceback as well",
    },
    {
      id: "codec names",
      code: "for n in ('__proto__', 'a' * 10**5, '../x', 'ctypes'):\n    try: b''.decode(n)\n    except (LookupError, ValueError) as e: print(type(e).__name__)",
      expect: "ok",
    },
    {
      id: "codec that never ends",
      code: "import codecs\ndef s(n):\n    while True: pass\ncodecs.register(s)\nb'x'.decode('zzz')",
      expect: "timeout",
    },
    {
      id: "idna",
      code: "('a' * 10**5 + '.\u00e9').encode('idna')",
      expect: ["error", "ok"],
    },
    {
      id: "unicode escape bomb",
      code: "import unicodedata\nprint(len(unicodedata.normalize('NFKD', '\\ufdfa' * 10**4)))",
      expect: ["ok", "oom"],
    },
    { id: "source in another encoding", code: "# coding: utf-7\nprint('+AGE-')", expect: ["ok", "error"] },
    {
      id: "source with an unknown encoding",
      code: "# coding: nothing\nprint(1)",
      expect: "error",
      stderr: /SyntaxError/,
    },
    { id: "source with NUL", code: "print(1)\n\0\nprint(2)", expect: ["error", "ok"] },
    { id: "source with a lone surrogate", code: "print('a\ud800b')", expect: "ok", stdout: /^a\ufffd+b\n$/ },
    { id: "source with CRLF", code: "if True:\r\n    print('crlf')\r\n", expect: "ok", stdout: /^crlf\n$/ },
    {
      id: "source of a megabyte",
      code: `${"# comment\n".repeat(100_000)}print('end')`,
      expect: "ok",
      stdout: /^end\n$/,
    },
    {
      id: "line of a megabyte",
      code: `x = '${"y".repeat(1_000_000)}'\nprint(len(x))`,
      expect: "ok",
      stdout: /^1000000\n$/,
    },
    { id: "prose", code: "Let us compute the sum.", expect: "error", stderr: /SyntaxError/ },
    { id: "end of file characters", code: "print('a')\n\x1a\x04\nprint('b')", expect: ["error", "ok"] },
    {
      id: "subinterpreter of code",
      code: py`import code
code.InteractiveConsole().interact(banner="", exitmsg="")
print("end")`,
      expect: "ok",
      stdout: /end\n$/,
    },
    { id: "debugger", code: "breakpoint()", expect: ["error", "ok"] },
    { id: "help", code: "help()", expect: ["error", "ok"] },
  ],
};
