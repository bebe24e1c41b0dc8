/** Pages without live data: the frame, and fields that copy. */
import "tidelog/shell";
import "tidelog/elements/copy";
