"""Where whole pipeline runs go: this machine's cores, or whatever a class of yours leads to."""
