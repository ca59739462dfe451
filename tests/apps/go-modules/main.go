package main

import (
	"embed"
	"io/fs"
	"log"
	"net/http"
	"os"

	"github.com/go-chi/chi/v5"
)

//go:embed pages
var pages embed.FS

func main() {
	router := chi.NewRouter()
	files, err := fs.Sub(pages, "pages")
	if err != nil {
		log.Fatal(err)
	}
	router.Handle("/*", http.FileServer(http.FS(files)))
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), router))
}
