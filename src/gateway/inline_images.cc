#include "gateway/inline_images.h"

#include "async/task_group.h"
#include "base/text.h"
#include "gateway/media_fetch.h"
#include "llm/limits.h"

namespace deeppool::gateway {
namespace {

using json::Kind;
using json::Reader;

// A URL in the body that is to be replaced.
struct Found {
  json::Range value;  // the string, with its quotes
  std::string param;
  std::string url;
  std::string data_url;  // once fetched
  std::optional<Error> error;
};

bool is_remote(std::string_view url) {
  return base::iequals(url.substr(0, 7), "http://") || base::iequals(url.substr(0, 8), "https://");
}

class Finder {
 public:
  Finder(const Call& call, std::vector<Found>& found) : call_(call), found_(found) {}

  void run(Reader& reader) {
    for (json::Members members(reader); members.next();) {
      if (members.key() == "messages" && reader.peek() == Kind::array) {
        read_messages(reader);
      } else {
        reader.skip();
      }
    }
  }

 private:
  void read_messages(Reader& reader) {
    for (json::Elements messages(reader); messages.next();) {
      message_ = messages.index();
      if (reader.peek() != Kind::object) {
        reader.skip();
        continue;
      }
      for (json::Members members(reader); members.next();) {
        if (members.key() == "content" && reader.peek() == Kind::array) {
          read_parts(reader);
        } else {
          reader.skip();
        }
      }
    }
  }

  void read_parts(Reader& reader) {
    for (json::Elements parts(reader); parts.next();) {
      part_ = parts.index();
      if (reader.peek() != Kind::object) {
        reader.skip();
        continue;
      }
      for (json::Members members(reader); members.next();) {
        const std::string key(members.key());
        const Kind kind = reader.peek();
        const bool media = key == "image_url" || key == "video_url" || key == "file";
        if (media && kind == Kind::object) {
          read_source(reader, key);
        } else if (media && kind == Kind::string) {
          take(reader, key);
        } else {
          reader.skip();
        }
      }
    }
  }

  void read_source(Reader& reader, const std::string& part) {
    for (json::Members members(reader); members.next();) {
      const std::string_view key = members.key();
      const bool source = part == "file" ? key == "file_data" : key == "url";
      if (source && reader.peek() == Kind::string) {
        const std::string path = part + "." + std::string(key);
        take(reader, path);
      } else {
        reader.skip();
      }
    }
  }

  void take(Reader& reader, const std::string& path) {
    const uint32_t begin = reader.position();
    const json::StringToken token = reader.read_string();
    if (token.raw.size() > llm::kMaxUrlBytes) return;
    std::string scratch;
    const std::string url(reader.decode(token, scratch));
    if (!is_remote(url) || provider_fetches(url)) return;
    found_.push_back({.value = {begin, reader.position()},
                      .param = "messages[" + std::to_string(message_) + "].content[" +
                               std::to_string(part_) + "]." + path,
                      .url = url,
                      .data_url = {},
                      .error = {}});
  }

  bool provider_fetches(std::string_view url) const {
    for (const routing::Candidate& candidate : call_.plan.candidates) {
      if (!call_.parts.adapters.of(*candidate.endpoint).fetches(url)) return false;
    }
    return true;
  }

  const Call& call_;
  std::vector<Found>& found_;
  int message_ = 0;
  int part_ = 0;
};

// What the fetches of one request share. Lives in inline_images(), which waits for all of them.
struct Fetching {
  Call& call;
  std::vector<Found>& found;
  base::Deadline deadline;
  size_t next = 0;
  bool failed = false;
};

// Takes one URL after the other until none is left, or one has failed.
Task<void> fetch_some(Fetching& all) {
  while (all.next < all.found.size() && !all.failed) {
    Found& one = all.found[all.next++];
    Result<Media> media =
        co_await fetch_media(all.call.parts.fetcher, one.url, all.deadline, all.call.x.scope);
    if (!media) {
      all.failed = true;
      one.error = std::move(media).error();
      co_return;
    }
    one.data_url = "data:" + media->type + ";base64," + base::base64_encode(media->bytes);
  }
}

Result<void> replace(Call& call, const std::vector<Found>& found) {
  size_t size = call.x.body.size();
  for (const Found& one : found) size += one.data_url.size();
  if (size > kMaxInlinedBodyBytes) {
    return Error(ErrorCode::payload_too_large,
                 "The pictures and documents of this request are too large together.");
  }
  json::PaddedBytes body;
  body.reserve(size);
  size_t done = 0;
  const std::string_view old = call.x.body.view();
  for (const Found& one : found) {
    std::string quoted;
    base::append_json_string(quoted, one.data_url);
    body.append(old.substr(done, one.value.begin - done));
    body.append(quoted);
    done = one.value.end;
  }
  body.append(old.substr(done));
  DP_TRY(llm::RequestView view, llm::parse_request(call.api, body));
  call.x.body = std::move(body);
  call.view = std::move(view);
  return {};
}

}  // namespace

bool needs_inlining(const Call& call) {
  if (!call.view.notes.remote_media) return false;
  for (const routing::Candidate& candidate : call.plan.candidates) {
    if (!call.parts.adapters.of(*candidate.endpoint).fetches("https://")) return true;
  }
  return false;
}

Task<Result<void>> inline_images(Call& call) {
  std::vector<Found> found;
  Reader reader(call.x.body.view());
  Finder(call, found).run(reader);
  if (found.size() > kMaxRemoteMedia) {
    co_return Error::invalid(found[kMaxRemoteMedia].param,
                             "At most " + std::to_string(kMaxRemoteMedia) +
                                 " URLs can be fetched for this model. Send data URLs.");
  }
  Fetching all{
      .call = call, .found = found, .deadline = {async::Loop::current().now() + kMediaTimeout}};
  async::TaskGroup fetching(async::Loop::current());
  for (size_t i = 0; i < std::min(found.size(), kMediaFetchesAtOnce); ++i) {
    fetching.spawn(fetch_some(all));
  }
  const bool done = co_await fetching.join(base::Deadline{base::Instant::max()});
  (void)done;  // each fetch has the deadline
  for (Found& one : found) {
    if (!one.error) continue;
    Error error = *std::move(one.error);
    if (error.code == ErrorCode::invalid_request) error.param = one.param;
    co_return error;
  }
  co_return replace(call, found);
}

}  // namespace deeppool::gateway
