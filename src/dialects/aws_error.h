// Errors as AWS tells them: the exception's name stands in a field of the head or of the frame, a sentence in the body.
// Whatever a model behind it speaks, this is how Bedrock fails. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/error.h"

namespace sluice {

// `kind`: the exception's name, from the field x-amzn-errortype or a frame's own; `status` 0 where none came.
[[nodiscard]] Error read_aws_error(int status, std::string_view body, std::string_view kind);

}  // namespace sluice
