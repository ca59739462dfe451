import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
number = 0
while True:
    number += 1
    print(f"worked {number} times", flush=True)
    time.sleep(5)
