package main

import (
	"bufio"
	"io"
	"log"
	"net"
	"os"

	"example.com/fleet/internal/answer"
)

func main() {
	listener, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection)
	}
}

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = reader.ReadString('\n'); err != nil {
			return
		}
	}
	io.WriteString(connection, "HTTP/1.0 200 OK\r\n\r\n"+answer.Text())
}
