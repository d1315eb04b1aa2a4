package internal

import (
	"net/http"
	"strings"
)

// Route binds a path pattern to a handler.
type Route struct {
	Pattern string
	Handler http.HandlerFunc
}

// Router finds the handler of a request.
type Router struct {
	routes []Route
}

// Register adds a route; the first that matches wins.
func (r *Router) Register(pattern string, handler http.HandlerFunc) {
	r.routes = append(r.routes, Route{pattern, handler})
}

// ServeHTTP dispatches a request to the route whose pattern matches its path.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	for _, route := range r.routes {
		if matchPattern(route.Pattern, req.URL.Path) {
			route.Handler(w, req)
			return
		}
	}
	http.NotFound(w, req)
}

// matchPattern compares segment by segment; a segment in braces matches anything.
func matchPattern(pattern, path string) bool {
	wanted, given := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(wanted) != len(given) {
		return false
	}
	for i, segment := range wanted {
		if !strings.HasPrefix(segment, "{") && segment != given[i] {
			return false
		}
	}
	return true
}
