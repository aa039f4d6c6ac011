// Package screen keeps windows out of pictures of the screen.
package screen
