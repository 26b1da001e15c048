"""The studio: a web UI over a project's runs, history, services and deployments (``alo ui``)."""
