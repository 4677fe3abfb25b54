// Signs a URL path of the service: SIGNING_KEY_ID=... SIGNING_SECRET=... go run sign.go PATH
//
// PATH is the path and query exactly as they will be sent, e.g. /thumbnail/size=56,exp=4102444800/https://example.com/a.jpg
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"regexp"
)

var options = regexp.MustCompile(`^/[^/]+/[^/?]+`)

// Sign puts the signature of path at the end of its options (the second segment).
func Sign(path, keyID, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(path))
	signature := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	end := len(options.FindString(path))
	if end == 0 {
		log.Fatalf("Expected a path like /thumbnail/<options>/<source>, but got %s.", path)
	}
	return path[:end] + ",sig=" + keyID + "." + signature + path[end:]
}

func main() {
	fmt.Println(Sign(os.Args[1], os.Getenv("SIGNING_KEY_ID"), os.Getenv("SIGNING_SECRET")))
}
