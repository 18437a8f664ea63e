// Debian's libcrypto: AES-256-GCM and random bytes.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
