#include "provider/anthropic/content.h"

#include <array>
#include <optional>

#include "base/text.h"
#include "provider/anthropic/raw_text.h"

namespace deeppool::provider::anthropic {

using json::Kind;

namespace {

// Anthropic's own parts, which callers of its protocol send: taken as they stand.
constexpr std::array<std::string_view, 4> kOwnParts = {"image", "document", "search_result",
                                                       "container_upload"};

bool is_own_part(std::string_view type) {
  for (const std::string_view own : kOwnParts) {
    if (type == own) return true;
  }
  return false;
}

struct DataUrl {
  std::string_view media_type;  // lower case as written; may be empty
  std::string_view data;        // base64
};

// Nothing for any other URL, and for data that is not base64.
std::optional<DataUrl> parse_data_url(std::string_view url) {
  if (url.size() < 5 || !base::iequals(url.substr(0, 5), "data:")) return std::nullopt;
  url.remove_prefix(5);
  const size_t comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view head = url.substr(0, comma);
  const size_t mark = head.rfind(';');
  if (mark == std::string_view::npos || !base::iequals(head.substr(mark + 1), "base64")) {
    return std::nullopt;
  }
  const std::string_view type = head.substr(0, head.find(';'));
  return DataUrl{type == "image/jpg" ? "image/jpeg" : type, url.substr(comma + 1)};
}

bool is_web_url(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

// `"source":{...}` for a URL of either kind. Errors name `param`.
Result<std::string> source_of(std::string_view url, const std::string& param) {
  std::string out = R"("source":{"type":)";
  if (is_web_url(url)) {
    out += R"("url","url":)";
    base::append_json_string(out, url);
    return out += '}';
  }
  const std::optional<DataUrl> data = parse_data_url(url);
  if (!data || data->media_type.empty()) {
    return Error::invalid(param, "expected an http(s) URL or a data URL in base64");
  }
  out += R"("base64","media_type":)";
  base::append_json_string(out, data->media_type);
  out += R"(,"data":)";
  base::append_json_string(out, data->data);
  return out += '}';
}

// What a part may hold, whatever its type.
struct Part {
  std::string type;
  std::string_view text;      // raw
  std::string url;            // of image_url
  std::string file_data;      // of file
  std::string_view filename;  // raw
  std::string_view cache_control;
  json::Range whole;
};

std::string decoded(json::Reader& reader) {
  std::string text;
  json::append_unescaped(text, read_raw_string(reader));
  return text;
}

void read_file(json::Reader& reader, Part& part) {
  if (reader.peek() != Kind::object) {
    reader.skip();
    return;
  }
  for (json::Members members(reader); members.next();) {
    if (members.key() == "file_data") {
      part.file_data = decoded(reader);
    } else if (members.key() == "filename") {
      part.filename = read_raw_string(reader);
    } else {
      reader.skip();
    }
  }
}

void read_image_url(json::Reader& reader, Part& part) {
  if (reader.peek() != Kind::object) {
    part.url = decoded(reader);
    return;
  }
  for (json::Members members(reader); members.next();) {
    if (members.key() == "url") {
      part.url = decoded(reader);
    } else {
      reader.skip();
    }
  }
}

Part read_members(json::Reader& reader) {
  Part part;
  reader.peek();
  part.whole.begin = reader.position();
  for (json::Members members(reader); members.next();) {
    const std::string_view key = members.key();
    if (key == "type") {
      part.type = decoded(reader);
    } else if (key == "text" || key == "refusal") {
      part.text = read_raw_string(reader);
    } else if (key == "image_url") {
      read_image_url(reader, part);
    } else if (key == "file") {
      read_file(reader, part);
    } else if (key == "cache_control" && reader.peek() == Kind::object) {
      part.cache_control = reader.text(reader.skip());
    } else {
      reader.skip();
    }
  }
  part.whole.end = reader.position();
  return part;
}

Block media_block(std::string_view type, std::string source) {
  Block block;
  block.kind = Block::Kind::media;
  block.json.append("\"type\":\"").append(type).append("\",").append(source);
  return block;
}

// A text file is a document of text, everything else (PDF) one of bytes.
Result<Block> document_of(const Part& part, const std::string& path) {
  if (part.file_data.empty()) {
    return Error::invalid(path + ".file",
                          "this model's provider takes files only by file_data (a data URL)");
  }
  Block block;
  const std::optional<DataUrl> data = parse_data_url(part.file_data);
  const auto text = data && data->media_type.starts_with("text/") ? base::base64_decode(data->data)
                                                                  : std::nullopt;
  if (text) {
    std::string source = R"("source":{"type":"text","media_type":"text/plain","data":)";
    base::append_json_string(source, *text);
    block = media_block("document", source + "}");
  } else {
    Result<std::string> source = source_of(part.file_data, path + ".file.file_data");
    if (!source) return std::move(source).error();
    block = media_block("document", *std::move(source));
  }
  if (!is_blank(part.filename)) {
    block.json.append(R"(,"title":")").append(part.filename).append("\"");
  }
  return block;
}

Result<Block> block_of(const Part& part, json::Reader& reader, const std::string& path) {
  if (part.type == "text" || part.type == "refusal" || part.type == "input_text" ||
      part.type == "output_text") {
    return text_block(part.text);
  }
  if (part.type == "image_url") {
    Result<std::string> source = source_of(part.url, path + ".image_url.url");
    if (!source) return std::move(source).error();
    return media_block("image", *std::move(source));
  }
  if (part.type == "file") return document_of(part, path);
  if (is_own_part(part.type)) {
    const std::string_view whole = reader.text(part.whole);
    Block block;
    block.kind = Block::Kind::media;
    block.json = whole.substr(1, whole.size() - 2);
    return block;
  }
  return Error::invalid(
      path + ".type",
      "this model's provider takes text, images and files, no parts of type `" + part.type + "`");
}

}  // namespace

std::string_view read_raw_string(json::Reader& reader) {
  if (reader.peek() == Kind::string) return reader.text(reader.read_string());
  reader.skip();
  return {};
}

Result<std::vector<Block>> read_content(json::Reader& reader, const std::string& path) {
  std::vector<Block> blocks;
  if (reader.peek() != Kind::array) {
    const std::string_view raw = read_raw_string(reader);
    if (!is_blank(raw)) blocks.push_back(text_block(raw));
    return blocks;
  }
  for (json::Elements parts(reader); parts.next();) {
    const Part part = read_members(reader);
    const std::string here = path + "[" + std::to_string(parts.index()) + "]";
    Result<Block> block = block_of(part, reader, here);
    if (!block) return std::move(block).error();
    if (block->kind == Block::Kind::text && is_blank(block->json)) continue;
    // What Anthropic's own parts carry is in their members already.
    if (!is_own_part(part.type)) block->cache_control = part.cache_control;
    blocks.push_back(*std::move(block));
  }
  return blocks;
}

}  // namespace deeppool::provider::anthropic
