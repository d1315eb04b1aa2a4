% Shapes and their areas.

%% A circle by its radius.
classdef Circle < handle
    % A circle in the plane.
    properties
        Radius = 1
    end

    methods
        function obj = Circle(radius)
            % Makes a circle.
            obj.Radius = radius;
        end

        function a = area(obj)
            %AREA The area in square metres.
            %   It is never negative.
            a = pi * obj.Radius^2;
        end

        function set.Radius(obj, value)
            obj.Radius = max(value, 0);
        end
    end

    methods (Static)
        function c = unit()
            c = Circle(1);
        end
    end
end

% Scales a number.
function [y, n] = scale(x, factor)
    y = x * factor;
    n = inner(y);
    function z = inner(w)
        z = w + 1;
    end
end
