// Goroutines that pass work through channels while the garbage collector is kept busy; prints a checksum of all results.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

type result struct {
	item  int
	value uint64
}

func compute(item int) uint64 {
	digest := sha256.Sum256([]byte(strconv.Itoa(item)))
	for i := 0; i < 40; i++ {
		kept := make([]byte, 0, 256)
		kept = append(kept, digest[:]...)
		digest = sha256.Sum256(kept)
	}
	return binary.LittleEndian.Uint64(digest[:])
}

func main() {
	items, _ := strconv.Atoi(os.Args[1])
	runtime.GOMAXPROCS(4)
	tasks, results := make(chan int), make(chan result, 16)
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for item := range tasks {
				results <- result{item, compute(item)}
			}
		}()
	}
	go func() {
		for item := 0; item < items; item++ {
			tasks <- item
		}
		close(tasks)
		group.Wait()
		close(results)
	}()
	var total uint64
	seen := map[int]bool{}
	for r := range results {
		if seen[r.item] {
			panic("an item came twice")
		}
		seen[r.item] = true
		total += r.value * uint64(r.item+1)
	}
	fmt.Printf("items %d checksum %016x\n", len(seen), total)
}
