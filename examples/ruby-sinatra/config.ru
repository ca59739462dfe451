require "./hello"

run Hello
