// A page by Go, served by net/http through the chi router.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"

	"github.com/go-chi/chi/v5"
)

func main() {
	router := chi.NewRouter()
	router.Get("/", hello)
	log.Fatal(http.ListenAndServe(":"+setting("PORT", "3000"), router))
}

func hello(response http.ResponseWriter, request *http.Request) {
	fmt.Fprintf(response, "%s from %s on Mothership!\n", setting("GREETING", "Hello"), runtime.Version())
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
