#include "gateway/media_urls.h"

#include "base/text.h"
#include "llm/limits.h"

namespace deeppool::gateway {
namespace {

using json::Kind;
using json::Reader;

bool is_remote(std::string_view url) {
  return base::iequals(url.substr(0, 7), "http://") || base::iequals(url.substr(0, 8), "https://");
}

class Finder {
 public:
  explicit Finder(const std::function<bool(std::string_view)>& wanted) : wanted_(wanted) {}

  std::vector<MediaPlace> run(Reader reader) {
    for (json::Members members(reader); members.next();) {
      if (members.key() == "messages" && reader.peek() == Kind::array) {
        read_messages(reader);
      } else {
        reader.skip();
      }
    }
    return std::move(found_);
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
    if (!is_remote(url) || !wanted_(url)) return;
    found_.push_back({.value = {begin, reader.position()},
                      .param = "messages[" + std::to_string(message_) + "].content[" +
                               std::to_string(part_) + "]." + path,
                      .url = url});
  }

  const std::function<bool(std::string_view)>& wanted_;
  std::vector<MediaPlace> found_;
  int message_ = 0;
  int part_ = 0;
};

}  // namespace

std::vector<MediaPlace> find_media_urls(const json::PaddedBytes& body,
                                        const std::function<bool(std::string_view)>& wanted) {
  return Finder(wanted).run(Reader(body.view()));
}

json::PaddedBytes with_data_urls(const json::PaddedBytes& body,
                                 const std::vector<MediaPlace>& places,
                                 const std::vector<std::string>& data_urls) {
  const std::string_view old = body.view();
  size_t size = old.size();
  for (const std::string& url : data_urls) size += url.size();
  json::PaddedBytes made;
  made.reserve(size);
  size_t done = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    const json::Range value = places[i].value;
    made.append(old.substr(done, value.begin - done));
    // Media types and base64 need no escapes.
    made.append("\"");
    made.append(data_urls[i]);
    made.append("\"");
    done = value.end;
  }
  made.append(old.substr(done));
  return made;
}

}  // namespace deeppool::gateway
