// The http(s) URLs of pictures and documents in a house request, and the request with data URLs in
// their places. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "json/padded.h"
#include "json/reader.h"

namespace deeppool::gateway {

struct MediaPlace {
  json::Range value;  // the URL in the body, with its quotes
  std::string param;  // "messages[0].content[1].image_url.url"
  std::string url;
};

// In the order of the body, which is a valid request. Only those that `wanted` says yes to.
std::vector<MediaPlace> find_media_urls(const json::PaddedBytes& body,
                                        const std::function<bool(std::string_view)>& wanted);

// `data_urls`: one for each place.
json::PaddedBytes with_data_urls(const json::PaddedBytes& body,
                                 const std::vector<MediaPlace>& places,
                                 const std::vector<std::string>& data_urls);

}  // namespace deeppool::gateway
