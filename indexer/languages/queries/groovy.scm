(class_definition name: (_) @name) @class
