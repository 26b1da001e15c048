"""The OpenAPI description of the service, made from its routes, and a page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from alo.plan.model import Plan
from alo.serve.http_api.operations import COMPONENTS, Operation, described
from alo.version import __version__

TEXT = {"type": "string"}


class Described(NamedTuple):
    """A route, as its clients see it."""

    path: str
    verb: str
    wants_token: bool
    operation: Operation


def openapi(routes: Iterable[Described], plan: Plan) -> dict[str, Any]:
    """The description, version 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        content = described(route.operation, plan, wants_token=route.wants_token)
        content["parameters"] = [*_in_path(route.path, plan), *content["parameters"]]
        if route.wants_token:
            content["security"] = [{"token": []}]
        paths.setdefault(route.path, {})[route.verb.lower()] = content
    return {
        "openapi": "3.1.0",
        "info": {
            "title": plan.name,
            "version": plan.version or "0",
            "description": f"An inference pipeline, served by ALO {__version__}.",
        },
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _in_path(path: str, plan: Plan) -> list[dict[str, Any]]:
    """Its parameters; the name of a model is that of the plan."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if path.startswith("/v2/models/{name}"):
        found[0]["example"] = plan.name
    return found


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Inference service</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f4f4f6;border-radius:4px}
code{padding:.1em .3em} pre{padding:.8rem;overflow:auto}
h2{margin:2rem 0 .3rem;font-size:1.1rem} .verb{color:#0a6;font-weight:600}
</style>
<h1 id="title">Inference service</h1><p id="about"></p>
<p>The whole description: <a id="whole" href="openapi.json">openapi.json</a></p>
<div id="paths"></div>
<script>
const add=(parent,name,text)=>{const e=document.createElement(name);e.textContent=text;
  parent.append(e);return e};
whole.href=location.pathname.replace(/\\/+$/,"").replace(/[^/]*$/,"openapi.json");
fetch(whole.href).then(r=>r.json()).then(d=>{
  title.textContent=d.info.title+" "+d.info.version; about.textContent=d.info.description;
  for(const [path,verbs] of Object.entries(d.paths)) for(const [verb,o] of Object.entries(verbs)){
    const h=add(paths,"h2","");add(h,"span",verb.toUpperCase()+" ").className="verb";
    add(h,"code",path);add(paths,"p",o.summary);
    for(const [type,c] of Object.entries(o.requestBody?.content||{})){
      const body=c.example===undefined?"-F files=@data.csv -F args='{}'":
        "-H 'content-type: "+type+"' -d '"+(typeof c.example==="string"?c.example:
        JSON.stringify(c.example)).replaceAll("'","'\\\\''")+"'";
      const names=(o.parameters||[]).filter(p=>p.in==="path"&&p.example!==undefined);
      const url=names.reduce((u,p)=>u.replace("{"+p.name+"}",encodeURIComponent(p.example)),path);
      add(paths,"pre","curl "+body+" "+location.origin+url);
    }
    add(paths,"p","answers: "+Object.keys(o.responses).join(", "));
  }});
</script></html>
"""
