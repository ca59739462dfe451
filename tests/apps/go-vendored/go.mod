module example.com/fleet

go 1.23

require example.com/signal v0.0.0

replace example.com/signal => ./signal
