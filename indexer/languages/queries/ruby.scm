(class name: (_) @name body: (_) @body) @class
(class name: (_) @name "end" @body) @class
(module name: (_) @name body: (_) @body) @extension
(module name: (_) @name "end" @body) @extension
(singleton_class value: (_)) @scope
(singleton_class body: (body_statement (method name: (_) @name @static body: (_) @body) @method))
(singleton_class body: (body_statement (method name: (_) @name @static "end" @body) @method))
(method name: (_) @name body: (_) @body) @function
(method name: (_) @name "end" @body) @function
(singleton_method object: (self) name: (_) @name @static body: (_) @body) @method
(singleton_method object: (self) name: (_) @name @static "end" @body) @method
(singleton_method object: (constant) @receiver name: (_) @name @static body: (_) @body) @method
(singleton_method object: (constant) @receiver name: (_) @name @static "end" @body) @method
(assignment left: [(identifier) (constant)] @name right: (lambda body: (_) @body)) @lambda
(assignment left: [(identifier) (constant)] @name
  right: (call !receiver method: (identifier) @_maker (#any-of? @_maker "lambda" "proc") block: (_ body: (_) @body))) @lambda
(assignment left: [(identifier) (constant)] @name
  right: (call receiver: (constant) @_of (#eq? @_of "Proc") method: (identifier) @_maker (#eq? @_maker "new")
    block: (_ body: (_) @body))) @lambda
; Point = Struct.new(:x) do def norm; end end
(assignment left: (constant) @name
  right: (call receiver: (constant) @_of (#any-of? @_of "Struct" "Class" "Data") method: (identifier) @_maker
    (#any-of? @_maker "new" "define") block: (_) @body)) @class
(assignment left: (constant) @name
  right: (call receiver: (constant) @_of (#eq? @_of "Module") method: (identifier) @_maker (#eq? @_maker "new")
    block: (_) @body)) @extension
; Sorbet: sig { returns(Integer) }
(call method: (identifier) @_sig (#eq? @_sig "sig") block: (_)) @attribute
(call method: (identifier) @_kind (#match? @_kind "^(define_method|attr_writer)$") arguments: (argument_list . [(simple_symbol) @name (string . (string_content) @name .)]) block: (_) @body) @method
(call method: (identifier) @_kind (#match? @_kind "^(private|protected|public|module_function|private_class_method|memoize)$") arguments: (argument_list . (_) @wrapped .)) @wrap
