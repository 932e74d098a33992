#include "gateway/inline_images.h"

#include <algorithm>

#include "async/task_group.h"
#include "base/text.h"
#include "gateway/media_fetch.h"
#include "gateway/media_urls.h"

namespace deeppool::gateway {
namespace {

// Whether every endpoint of the plan has a provider that gets this URL by itself.
bool providers_fetch(const Call& call, std::string_view url) {
  for (const routing::Candidate& candidate : call.plan.candidates) {
    const provider::Endpoint& endpoint = *candidate.endpoint;
    if (!call.parts.adapters.of(endpoint).fetches(endpoint, url)) return false;
  }
  return true;
}

// What the fetches of one request share. Lives in inline_images(), which waits for all of them.
struct Fetching {
  Call& call;
  const std::vector<MediaPlace>& places;
  std::vector<std::string> data_urls;
  base::Deadline deadline;
  size_t room;  // bytes that may still come
  size_t next = 0;
  std::optional<Error> error;  // the first; nothing more is begun then
};

// Takes one URL after the other until none is left, or one has failed.
Task<void> fetch_some(Fetching& all) {
  while (all.next < all.places.size() && !all.error) {
    const size_t i = all.next++;
    Result<Media> media = co_await fetch_media(all.call.parts.fetcher, all.places[i].url,
                                               all.deadline, all.call.x.scope, all.room);
    if (media) {
      all.data_urls[i] = "data:" + media->type + ";base64," + base::base64_encode(media->bytes);
      continue;
    }
    if (all.error) co_return;
    all.error = std::move(media).error();
    if (all.error->code == ErrorCode::invalid_request) all.error->param = all.places[i].param;
  }
}

// Of bytes that become Base64: four of its characters for three.
size_t room_beside(size_t body_bytes) {
  return body_bytes < kMaxInlinedBodyBytes ? (kMaxInlinedBodyBytes - body_bytes) / 4 * 3 : 0;
}

Result<void> replace(Call& call, const Fetching& all) {
  json::PaddedBytes body = with_data_urls(call.x.body, all.places, all.data_urls);
  if (body.size() > kMaxInlinedBodyBytes) {
    return too_large_together();
  }
  DP_TRY(llm::RequestView view, llm::parse_request(call.api, body));
  call.x.body = std::move(body);
  call.view = std::move(view);
  return {};
}

}  // namespace

bool needs_inlining(const Call& call) {
  return call.view.notes.remote_media && !providers_fetch(call, "https://");
}

Task<Result<void>> inline_images(Call& call) {
  const std::vector<MediaPlace> places = find_media_urls(
      call.x.body, [&](std::string_view url) { return !providers_fetch(call, url); });
  if (places.empty()) co_return Result<void>();
  if (places.size() > kMaxRemoteMedia) {
    co_return Error::invalid(places[kMaxRemoteMedia].param,
                             "At most " + std::to_string(kMaxRemoteMedia) +
                                 " URLs can be fetched for this model. Send data URLs.");
  }
  Fetching all{.call = call,
               .places = places,
               .data_urls = std::vector<std::string>(places.size()),
               .deadline = {async::Loop::current().now() + kMediaTimeout},
               .room = room_beside(call.x.body.size()),
               .error = {}};
  async::TaskGroup fetching(async::Loop::current());
  for (size_t i = 0; i < std::min(places.size(), kMediaFetchesAtOnce); ++i) {
    fetching.spawn(fetch_some(all));
  }
  const bool done = co_await fetching.join(base::Deadline{base::Instant::max()});
  (void)done;  // each fetch has the deadline
  if (all.error) co_return *std::move(all.error);
  // A fetch that threw says nothing here.
  if (std::ranges::any_of(all.data_urls, &std::string::empty)) {
    co_return Error(ErrorCode::internal, "A URL of this request could not be fetched.");
  }
  co_return replace(call, all);
}

}  // namespace deeppool::gateway
