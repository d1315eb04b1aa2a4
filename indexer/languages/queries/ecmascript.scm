; What JavaScript and TypeScript share; not a language of its own.
(class_declaration name: (_) @name body: (class_body) @body) @class
(function_declaration name: (identifier) @name body: (statement_block) @body) @function
(generator_function_declaration name: (identifier) @name body: (statement_block) @body) @function
(method_definition name: (_) @name body: (statement_block) @body) @method

; Functions and classes bound to a name.
(variable_declarator name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @bound
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @class
(variable_declarator name: (identifier) @name
  value: (call_expression function: [(identifier) (member_expression object: (identifier) @_owner (#eq? @_owner "React"))]
    arguments: (arguments . [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))) @bound
; The same one call deeper: `memo(forwardRef((props, ref) => {}))`.
(variable_declarator name: (identifier) @name
  value: (call_expression function: [(identifier) (member_expression object: (identifier) @_owner (#eq? @_owner "React"))]
    arguments: (arguments . (call_expression
      function: [(identifier) (member_expression object: (identifier) @_inner (#eq? @_inner "React"))]
      arguments: (arguments . [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))))) @bound
; The last argument: `createAsyncThunk('x', async () => {})`.
(variable_declarator name: (identifier) @name
  value: (call_expression function: (identifier)
    arguments: (arguments [(arrow_function body: (_) @body) (function_expression body: (_) @body)] .))) @bound
; Methods, such as `_.debounce(() => {})`, at the top alone: inside of functions most of them walk over a list.
(program [
  (_ (variable_declarator name: (identifier) @name
    value: (call_expression function: (member_expression property: (_) @_verb)
      arguments: (arguments [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))) @bound)
  (export_statement (_ (variable_declarator name: (identifier) @name
    value: (call_expression function: (member_expression property: (_) @_verb)
      arguments: (arguments [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))) @bound))]
  (#not-match? @_verb "^(map|flatMap|filter|reduce|reduceRight|forEach|find|findIndex|some|every|sort|replace|then|catch|finally)$"))
(assignment_expression left: [(identifier) (member_expression)] @name
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @bound
(assignment_expression left: [(identifier) (member_expression)] @name right: (class body: (_) @body)) @class
(pair key: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @bound

; A function with a name of its own, in the middle of an expression: a callback, `export default there && function get() {}`.
(function_expression name: (identifier) @name body: (_) @body) @bound
(generator_function name: (identifier) @name body: (_) @body) @bound

; A default export without a name.
(export_statement "default" @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @function
(export_statement "default" @name
  value: (call_expression function: [(identifier) (member_expression object: (identifier) @_owner (#eq? @_owner "React"))]
    arguments: (arguments . [(arrow_function body: (_) @body) (function_expression !name body: (_) @body)]))) @function
(export_statement "default" @name value: (class body: (_) @body)) @class

; Objects whose members are functions.
(variable_declarator name: (identifier) @name value: (object)) @scope
(variable_declarator name: (identifier) @name value: (call_expression arguments: (arguments (object) .))) @scope
(assignment_expression left: [(identifier) (member_expression)] @name right: (object)) @scope
(pair key: (_) @name value: (object)) @scope

(export_statement declaration: (_) @wrapped) @wrap
; memo(function Table() {}, areEqual), but not connect(function one() {}, function two() {})
(export_statement "default" value: (call_expression arguments: (arguments
  . (function_expression) @wrapped . [(identifier) (object) (array)]? .))) @wrap
(export_statement "default" value: (call_expression arguments: (arguments
  . (call_expression arguments: (arguments . (function_expression) @wrapped . [(identifier) (object) (array)]? .))))) @wrap
(lexical_declaration . (variable_declarator) @wrapped .) @wrap
(variable_declaration . (variable_declarator) @wrapped .) @wrap
(expression_statement . (assignment_expression) @wrapped .) @wrap
(decorator) @attribute
