package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/fleet/internal/answer"
)

func main() {
	http.HandleFunc("/", func(response http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(response, answer.Text())
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
