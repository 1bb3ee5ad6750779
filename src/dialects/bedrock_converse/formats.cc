// SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/formats.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice::bedrock_converse {
namespace {

using enum MediaKind;

struct Row {
  MediaKind kind;
  std::string_view format, mime;
};
// Of several rows for one word the first tells its type, the others are further names of it.
constexpr std::array rows = std::to_array<Row>({
    {image, "png", "image/png"},
    {image, "jpeg", "image/jpeg"},
    {image, "jpeg", "image/jpg"},
    {image, "gif", "image/gif"},
    {image, "webp", "image/webp"},
    {document, "pdf", "application/pdf"},
    {document, "csv", "text/csv"},
    {document, "doc", "application/msword"},
    {document, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {document, "xls", "application/vnd.ms-excel"},
    {document, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {document, "html", "text/html"},
    {document, "txt", "text/plain"},
    {document, "txt", "application/json"},
    {document, "md", "text/markdown"},
    {video, "mp4", "video/mp4"},
    {video, "mov", "video/quicktime"},
    {video, "mov", "video/mov"},
    {video, "mkv", "video/x-matroska"},
    {video, "webm", "video/webm"},
    {video, "flv", "video/x-flv"},
    {video, "mpeg", "video/mpeg"},
    {video, "mpg", "video/mpg"},
    {video, "wmv", "video/x-ms-wmv"},
    {video, "wmv", "video/wmv"},
    {video, "three_gp", "video/3gpp"},
    {audio, "mp3", "audio/mp3"},
    {audio, "mp3", "audio/mpeg3"},
    {audio, "mpeg", "audio/mpeg"},
    {audio, "mpga", "audio/mpga"},
    {audio, "wav", "audio/wav"},
    {audio, "wav", "audio/x-wav"},
    {audio, "flac", "audio/flac"},
    {audio, "ogg", "audio/ogg"},
    {audio, "opus", "audio/opus"},
    {audio, "aac", "audio/aac"},
    {audio, "x-aac", "audio/x-aac"},
    {audio, "m4a", "audio/m4a"},
    {audio, "m4a", "audio/x-m4a"},
    {audio, "mp4", "audio/mp4"},
    {audio, "webm", "audio/webm"},
    {audio, "mka", "audio/x-matroska"},
    {audio, "pcm", "audio/pcm"},
});

std::string_view family(MediaKind kind) {
  switch (kind) {
    case image: return "image/";
    case audio: return "audio/";
    case video: return "video/";
    case document: return "application/";
  }
  return "";
}

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string mime_of_format(MediaKind kind, std::string_view format) {
  if (format.empty()) return {};
  for (const Row& row : rows) {
    if (row.kind == kind && row.format == format) return std::string(row.mime);
  }
  return std::string(family(kind)) + std::string(format);
}

std::string_view format_of_mime(MediaKind kind, std::string_view mime) {
  mime = trim(mime.substr(0, mime.find(';')));
  for (const Row& row : rows) {
    if (row.kind == kind && iequals(row.mime, mime)) return row.format;
  }
  return kind == document && mime.starts_with("text/") ? std::string_view("txt") : std::string_view();
}

std::string document_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > 0 && name.size() - dot <= 5 &&
      std::ranges::all_of(name.substr(dot + 1), letter_or_digit)) {
    name = name.substr(0, dot);
  }
  std::string out;
  for (const char c : name) {
    const bool taken = letter_or_digit(c) || std::string_view("-()[]").contains(c);
    if (taken) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    if (out.size() == 180) break;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace sluice::bedrock_converse
