"""The OpenAPI description of the service, with examples from its plan, and a page that shows it."""

from __future__ import annotations

from typing import Any

from alo.history.record import plain
from alo.plan.model import Plan
from alo.version import __version__

ANSWER = {"$ref": "#/components/schemas/Answer"}
TEXT = {"type": "string"}
PROTOCOL_ERROR = {"type": "object", "required": ["error"], "properties": {"error": TEXT}}


def openapi(plan: Plan, has_token: bool) -> dict[str, Any]:
    """The description, version 3.1."""
    security: dict[str, Any] = {"security": [{"token": []}]} if has_token else {}
    args = _args_example(plan)
    id_parameter = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    name_parameter = {"name": "name", "in": "path", "required": True, "schema": TEXT}
    model = {**name_parameter, "example": plan.name}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": plan.name,
            "version": plan.version or "0",
            "description": f"An inference pipeline, served by ALO {__version__}.",
        },
        "paths": {
            "/v1/inference": {"post": {**_inference(args), **security}},
            "/v1/requests/{id}": {
                "get": {
                    "summary": "What came of a request",
                    "operationId": "getRequest",
                    "parameters": [id_parameter],
                    "responses": _responses(("200", ANSWER), errors=("401", "404")),
                    **security,
                }
            },
            "/v1/requests/{id}/outputs/{name}": {
                "get": {
                    "summary": "An output file of a request",
                    "operationId": "getOutput",
                    "parameters": [id_parameter, name_parameter],
                    "responses": {
                        "200": {"description": "the file", "content": {"*/*": {}}},
                        **_responses(errors=("401", "404")),
                    },
                    **security,
                }
            },
            "/v2/models/{name}/infer": {"post": {**_tensors(model), **security}},
            "/v2/models/{name}": {
                "get": {
                    "summary": "Metadata of the model",
                    "operationId": "getModel",
                    "parameters": [model],
                    "responses": _responses(
                        ("200", {"type": "object"}), errors=("401", "404"), error=PROTOCOL_ERROR
                    ),
                    **security,
                }
            },
            **{
                path: {
                    "get": {
                        "summary": what,
                        "operationId": path.strip("/").replace("/", "_"),
                        "responses": _responses(("200", {"type": "object"})),
                    }
                }
                for path, what in (("/healthz", "Whether it runs"), ("/v2", "The server"))
            },
            "/readyz": {
                "get": {
                    "summary": "Whether it can answer",
                    "operationId": "readyz",
                    "responses": _responses(
                        ("200", {"type": "object"}), ("503", {"type": "object"})
                    ),
                }
            },
        },
        "components": {
            "schemas": {"Answer": _answer(), "Rows": _rows()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _inference(args: dict[str, Any]) -> dict[str, Any]:
    args_schema = {
        "type": "object",
        "additionalProperties": {"type": "object"},
        "description": "{step: {arg: value}}",
    }
    body = {"type": "object", "required": ["rows"], "additionalProperties": False}
    return {
        "summary": "Run an inference",
        "operationId": "infer",
        "parameters": [
            {
                "name": "async",
                "in": "query",
                "schema": {"type": "string", "enum": ["0", "1"]},
                "description": "1: answer at once with 202, and keep the result for later",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        **body,
                        "properties": {
                            "rows": {"$ref": "#/components/schemas/Rows"},
                            "args": args_schema,
                        },
                    },
                    "example": {"rows": [{"column": 1.5}], "args": args},
                },
                "text/csv": {"schema": TEXT, "example": "column\n1.5\n"},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["files"],
                        "properties": {
                            "files": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "string", "format": "binary"},
                            },
                            "args": {**TEXT, "description": "JSON: {step: {arg: value}}"},
                        },
                    }
                },
            },
        },
        "responses": _responses(
            ("200", ANSWER),
            ("202", ANSWER),
            errors=("400", "401", "413", "415", "422", "429", "500", "504", "507"),
        ),
    }


def _tensors(model: dict[str, Any]) -> dict[str, Any]:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "datatype": TEXT,
            "data": {"type": "array"},
        },
    }
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": TEXT, "inputs": {"type": "array", "items": tensor, "minItems": 1}},
    }
    column = {"name": "column", "shape": [1], "datatype": "FP64", "data": [1.5]}
    example = {"inputs": [column]}
    return {
        "summary": "Run an inference on tensors (Open Inference Protocol)",
        "operationId": "inferTensors",
        "parameters": [model],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": _responses(
            ("200", {"type": "object"}),
            errors=("400", "401", "404", "413", "422", "429", "500", "504", "507"),
            error=PROTOCOL_ERROR,
        ),
    }


def _responses(
    *good: tuple[str, dict[str, Any]],
    errors: tuple[str, ...] = (),
    error: dict[str, Any] = ANSWER,
) -> dict[str, Any]:
    described = {
        status: {
            "description": "the answer",
            "content": {"application/json": {"schema": schema}},
        }
        for status, schema in good
    }
    wrong = {
        status: {"description": "refused", "content": {"application/json": {"schema": error}}}
        for status in errors
    }
    return {**described, **wrong}


def _answer() -> dict[str, Any]:
    output = {"type": "object", "properties": {"name": TEXT, "url": TEXT}}
    return {
        "type": "object",
        "required": ["id", "status", "summary", "outputs", "error"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "status": {"enum": ["success", "fail", "queued", "running"]},
            "summary": {"type": ["object", "null"]},
            "outputs": {"type": "array", "items": output},
            "error": {"type": ["object", "null"]},
        },
    }


def _rows() -> dict[str, Any]:
    cell = {"type": ["string", "number", "boolean", "null"]}
    row = {"type": "object", "additionalProperties": cell, "minProperties": 1}
    return {"type": "array", "items": row, "minItems": 1}


def _args_example(plan: Plan) -> dict[str, Any]:
    """The args that an operator may change, as the plan has them: others may be secrets."""
    steps = plan.inference.steps if plan.inference else ()
    shown = {
        step.name: {key: value for key, value in step.args.items() if key in step.ui_args}
        for step in steps
    }
    found = plain({step: args for step, args in shown.items() if args})
    return found if isinstance(found, dict) else {}


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
