<?php
// Signs a URL path of the service: SIGNING_KEY_ID=... SIGNING_SECRET=... php sign.php PATH
//
// PATH is the path and query exactly as they will be sent, e.g. /thumbnail/size=56,exp=4102444800/https://example.com/a.jpg

/** Puts the signature of $path at the end of its options (the second segment). */
function sign(string $path, string $keyId, string $secret): string
{
    $signature = rtrim(strtr(base64_encode(hash_hmac('sha256', $path, $secret, true)), '+/', '-_'), '=');
    if (!preg_match('#^/[^/]+/[^/?]+#', $path, $options)) {
        throw new InvalidArgumentException("Expected a path like /thumbnail/<options>/<source>, but got $path.");
    }
    return "$options[0],sig=$keyId.$signature" . substr($path, strlen($options[0]));
}

echo sign($argv[1], getenv('SIGNING_KEY_ID'), getenv('SIGNING_SECRET')), "\n";
