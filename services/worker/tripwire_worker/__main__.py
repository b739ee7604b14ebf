"""`python -m tripwire_worker`: the worker service. (Its own file, as spawned children import the module they run.)"""

import sys

from tripwire_worker.children import main

if __name__ == "__main__":
    sys.exit(main())
