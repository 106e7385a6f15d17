"""Runs modules of Python's own test suite and prints counts alone: times, addresses and paths differ from run to run."""

import io
import sys
import unittest

import test.support

# Nothing that needs a network, much memory or much time.
test.support.use_resources = []

for name in sys.argv[1:]:
    suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
    output, sys.stdout = sys.stdout, io.StringIO()
    try:
        result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    finally:
        sys.stdout = output
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{name}: {result.testsRun} tests, {failed} failed, {len(result.skipped)} skipped", flush=True)
    for case, trace in result.failures + result.errors:
        print("  failed:", case.id())
        # The trace goes where it can be read, not where it is compared.
        print(trace, file=sys.stderr)
