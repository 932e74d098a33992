// Which addresses a URL that somebody else chose may lead to: those of the public internet, and
// nothing that only this machine or its network can reach. Pure. Ranges: IANA's special-purpose
// registries for IPv4 and IPv6; where IPv6 carries an IPv4 address, that one decides.
// Names are looked up first and every address found is judged: however an address is spelled, what
// is judged is what would be connected to.
#pragma once

#include "async/address.h"

namespace deeppool::http {

bool is_public(const async::Address& address);

}  // namespace deeppool::http
