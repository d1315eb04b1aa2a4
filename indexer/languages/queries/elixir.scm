(call target: (identifier) @_kind (#any-of? @_kind "defmodule" "defprotocol")
  (arguments . (_) @name) (do_block) @body) @module
(call target: (identifier) @_kind (#eq? @_kind "defimpl")
  (arguments . (_) @implements (keywords (pair value: (_) @name))) (do_block) @body) @module
(call target: (identifier) @_kind (#eq? @_kind "defimpl") (arguments . (_) @name .) (do_block) @body) @module

(call target: (identifier) @_kind (#match? @_kind "^def(p|n|np|macrop?|guardp?)?$") (arguments
  . (binary_operator left: (call target: (identifier) @name (arguments) @arguments) operator: "when"))
  (do_block)? @body) @function
(call target: (identifier) @_kind (#match? @_kind "^def(p|n|np|macrop?|guardp?)?$") (arguments
  . (binary_operator left: (identifier) @name @arguments operator: "when"))
  (do_block)? @body) @function
(call target: (identifier) @_kind (#match? @_kind "^def(p|n|np|macrop?)?$") (arguments
  . (binary_operator left: (binary_operator operator: _ @name) @arguments operator: "when"))
  (do_block)? @body) @function
(call target: (identifier) @_kind (#match? @_kind "^def(p|n|np|macrop?|delegate)?$") (arguments
  . (call target: (identifier) @name (arguments) @arguments))
  (do_block)? @body) @function
(call target: (identifier) @_kind (#match? @_kind "^def(p|n|np|macrop?|delegate)?$") (arguments
  . (identifier) @name @arguments)
  (do_block)? @body) @function
(call target: (identifier) @_kind (#match? @_kind "^def(p|macrop?)?$") (arguments
  . [(binary_operator operator: _ @name) (unary_operator operator: _ @name)] @arguments)
  (do_block)? @body) @function
(call target: (identifier) @_kind (#any-of? @_kind "test" "describe" "property")
  (arguments . (string (quoted_content) @name)) (do_block) @body) @function

; Documentation is an attribute that holds a string.
(unary_operator operator: "@" operand: (call target: (identifier) @_kind
  (#any-of? @_kind "doc" "typedoc" "shortdoc") (arguments . [(string) (sigil)]))) @comment
(unary_operator operator: "@" operand: (call target: (identifier) @_kind
  (#eq? @_kind "moduledoc") (arguments . [(string) (sigil)]))) @doc
(unary_operator operator: "@" operand: (call target: (identifier) @_kind
  (#any-of? @_kind "spec" "impl" "deprecated" "dialyzer" "decorate"))) @attribute
(unary_operator operator: "@" operand: (call target: (identifier) @_kind
  (#eq? @_kind "doc") (arguments . [(boolean) (keywords)]))) @attribute
