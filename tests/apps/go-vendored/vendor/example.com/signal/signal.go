// Package signal says where the fleet is.
package signal

const Flag = "vendored"
