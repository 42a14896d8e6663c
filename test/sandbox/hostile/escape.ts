import type { Category } from "./case";

/** Modules that would reach the host. Each is missing, or is there and can do nothing. */
const MISSING = [
  ..."js pyodide_js pyodide micropip ctypes _ctypes cffi _cffi_backend mmap fcntl resource termios pty".split(" "),
  ..."_multiprocessing _posixshmem _xxsubinterpreters grp spwd syslog readline curses tkinter".split(" "),
  ..."numpy sympy winreg msvcrt".split(" "),
];

export const modules: Category = {
  category: "modules",
  cases: [
    ...MISSING.map((name) => ({
      id: `import ${name}`,
      code: `import ${name}`,
      expect: "error" as const,
      stderr: /ModuleNotFoundError|ImportError/,
    })),
    {
      id: "extension module from bytes",
      code: "import importlib.machinery as m\nopen('/tmp/x.so', 'wb').write(b'\\x7fELF')\nm.ExtensionFileLoader('x', '/tmp/x.so').create_module(m.ModuleSpec('x', None, origin='/tmp/x.so'))",
      expect: "error",
    },
    {
      id: "_imp",
      code: "import _imp, importlib.machinery as m\n_imp.create_dynamic(m.ModuleSpec('x', None, origin='/tmp/x'))",
      expect: "error",
    },
    {
      id: "builtin modules all imported",
      code: "import sys\nfor n in sys.builtin_module_names:\n    try: __import__(n)\n    except ImportError: pass\nprint('posix' in sys.modules)",
      expect: "ok",
      stdout: /^True\n$/,
    },
    {
      id: "C API for tests",
      code: "import _testcapi\n_testcapi.crash_no_current_thread()",
      expect: ["crash", "error"],
      notes: "this build has the module; what it reaches is the guest's own memory",
    },
    {
      id: "freed memory by the C API for tests",
      code: "import _testcapi\n_testcapi.pymem_buffer_overflow()",
      expect: ["crash", "error", "ok"],
    },
    { id: "import by loader", code: "__loader__.load_module('ctypes')", expect: "error" },
    {
      id: "module written and imported",
      code: "open('/tmp/m.py', 'w').write('x = 5')\nimport sys\nsys.path.append('/tmp')\nimport m\nprint(m.x)",
      expect: "ok",
      stdout: /^5\n$/,
    },
    {
      id: "module that shadows a preloaded one",
      code: "open('/random.py', 'w').write('1/0')\nimport sys\nsys.path.insert(0, '/')\nimport random\nprint(random.randint(1, 1))",
      expect: "ok",
      stdout: /^1\n$/,
    },
    {
      id: "import hook",
      code: "import sys\nclass F:\n    def find_spec(s, n, *_): raise ImportError('no ' + n)\nsys.meta_path.insert(0, F())\nimport tomllib",
      expect: "error",
      stderr: /no tomllib/,
    },
  ],
};

/** Other processes, threads, signals, and ends of all kinds. */
export const processes: Category = {
  category: "processes and signals",
  cases: [
    ...[
      "os.fork()",
      "os.execv('/bin/sh', ['sh'])",
      "os.system('touch {{CANARY}}')",
      "os.popen('id').read()",
      "os.kill(1, 9)",
      "os.killpg(0, 9)",
      "os.posix_spawn('/bin/sh', ['sh'], {})",
      "os.setuid(0)",
      "os.chroot('/')",
      "os.dup2(1, 5)",
      "os.pipe()",
      "os.openpty()",
      "os.nice(1)",
      "os.sched_setaffinity(0, [0])",
    ].map((call) => ({
      id: call.slice(0, call.indexOf("(")),
      code: `import os\n${call}`,
      expect: "error" as const,
      stderr: /AttributeError|OSError|PermissionError/,
    })),
    {
      id: "subprocess",
      code: "import subprocess\nsubprocess.run(['sh', '-c', 'echo x > {{CANARY}}'])",
      expect: "error",
    },
    { id: "subprocess through its parts", code: "import _posixsubprocess", expect: ["error", "ok"] },
    { id: "multiprocessing", code: "import multiprocessing\nmultiprocessing.Pool(2)", expect: "error" },
    {
      id: "thread",
      code: "import threading\nthreading.Thread(target=print).start()",
      expect: "error",
      stderr: /can't start new thread/,
    },
    { id: "thread, low level", code: "import _thread\n_thread.start_new_thread(print, ())", expect: "error" },
    {
      id: "executor",
      code: "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor().submit(print).result()",
      expect: "error",
    },
    {
      id: "asyncio",
      code: "import asyncio\nasync def f(): return 1\nprint(asyncio.run(f()))",
      expect: ["error", "ok"],
    },
    { id: "os._exit", code: "import os\nprint('a', flush=True)\nos._exit(7)", expect: "error", stdout: /^a\n$/ },
    { id: "exit 256", code: "import sys\nsys.exit(256)", expect: ["error", "ok"] },
    { id: "exit -1", code: "import sys\nsys.exit(-1)", expect: "error" },
    { id: "exit of a huge number", code: "import sys\nsys.exit(10**30)", expect: "error" },
    { id: "quit", code: "quit()", expect: "ok" },
    { id: "exit of an object", code: "raise SystemExit({'a': 1})", expect: "error", stderr: /^\{'a': 1\}\n$/ },
    { id: "abort", code: "import os\nos.abort()", expect: "crash" },
    { id: "SIGKILL", code: "import signal\nsignal.raise_signal(9)", expect: ["crash", "error"] },
    { id: "SIGSEGV", code: "import signal\nsignal.raise_signal(11)", expect: ["crash", "error"] },
    {
      id: "SIGTERM handled",
      code: "import signal\nsignal.signal(signal.SIGTERM, lambda *a: print('got'))\nsignal.raise_signal(signal.SIGTERM)",
      expect: ["ok", "error"],
    },
    {
      id: "all signals",
      code: "import signal\nfor n in range(1, 65):\n    try: signal.raise_signal(n)\n    except Exception: pass",
      expect: ["crash", "error", "ok"],
    },
    {
      id: "interrupt",
      code: "import _thread\n_thread.interrupt_main()\nfor i in range(10**4): pass",
      expect: ["error", "ok", "crash"],
    },
    ...["_sigsegv", "_sigabrt", "_sigfpe", "_read_null", "_stack_overflow"].map((name) => ({
      id: `faulthandler ${name}`,
      code: `import faulthandler\nfaulthandler.${name}()`,
      expect: ["crash", "error", "ok"] as const,
      notes: "address 0 is readable memory in wasm; the rest traps or is missing",
    })),
    {
      id: "faulthandler timer",
      code: "import faulthandler\nfaulthandler.dump_traceback_later(0.1, exit=True)\nprint('x')",
      expect: ["error", "ok"],
    },
    { id: "KeyboardInterrupt", code: "raise KeyboardInterrupt", expect: "error", stderr: /KeyboardInterrupt/ },
    { id: "GeneratorExit", code: "raise GeneratorExit", expect: "error" },
    { id: "setrlimit", code: "import resource\nresource.setrlimit(0, (1, 1))", expect: "error" },
  ],
};
