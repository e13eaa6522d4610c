# What citizens read in the video call and while they test their devices. The guest page loads this file only
# when it is needed.

## Testing camera and microphone

check-intro = During the test your picture and your sound stay on your device.
check-start = Switch on camera and microphone
check-asking = Your browser may now ask whether it may use your camera and microphone. Please allow it.
check-again = Try again
check-preview = Your camera’s picture
check-no-preview = No picture from a camera
check-camera = Camera
check-microphone = Microphone
check-speaker = Speaker
check-level = Please speak. The bar shows how well your microphone hears you.
check-heard = Your microphone can hear you.
check-tone = Play a test tone
check-tone-hint = If you hear three tones, your speaker works.
check-camera-ready = Your camera is ready.
check-microphone-ready = Your microphone is ready.
check-camera-denied = The camera is not allowed for this page.
check-microphone-denied = The microphone is not allowed for this page.
check-denied-help = How to allow it: press the sign to the left of this page’s address. Set camera and microphone to “Allow”. Then try again.
check-camera-system = Your device does not allow the browser to use the camera.
check-microphone-system = Your device does not allow the browser to use the microphone.
check-system-help = Open the settings of your device, there the section on privacy. Allow the browser to use camera and microphone. Then try again.
check-camera-missing = We cannot find a camera.
check-microphone-missing = We cannot find a microphone.
check-missing-help = Connect a device and try again. You can also do without.
check-camera-busy = Another program is using the camera.
check-microphone-busy = Another program is using the microphone.
check-busy-help = Close other programs for video calls. Then try again.
check-camera-unsupported = Your browser cannot use a camera here.
check-microphone-unsupported = Your browser cannot use a microphone here.
check-unsupported-help = It will probably work with a newer browser. You can write in any case.
check-camera-unsent = Your picture does not reach the others. That is why the camera is off.
check-microphone-unsent = Your sound does not reach the others. That is why the microphone is off.
check-unsent-help = Please try again in a moment. You can write in any case.
check-result-video = You can talk with picture and sound.
check-result-audio = You can talk with sound.
check-result-chat = You can write. That always works, even without camera and microphone.
check-mode = How would you like to take part?
check-mode-hint = You can change this at any time.
check-mode-video = With picture and sound
check-mode-audio = With sound only
check-mode-chat = In writing only
check-change = Change devices or how you take part
check-blur-hint = This is for the video call. Here in the test you still see your picture in focus.
check-blurred = In the video call your background is blurred.

## Video call

call-heading = Video call
call-joining = Connecting you …
call-alone = Nobody from the office is in the video call yet. Please stay. You can write already.
call-together = You are connected with { $names }.
call-lost = The connection is interrupted. We will reconnect you automatically.
call-back = The connection is back.
call-failed = The video call cannot be started.
call-failed-text = Please write to us here in the conversation. You can also try again.
call-elsewhere = You are talking in another window.
call-elsewhere-text = Your video call is open in another window or on another device.
call-here = Keep talking here
call-retry = Try again
call-without = Continue without video
call-sound-blocked = Your browser is still holding back the sound.
call-sound-play = Switch on sound

call-people = People in the video call
call-you = You
call-person-expected = { $name } is joining …
call-camera-off = Camera off
call-sound-off = Sound off
call-speaking = speaking

call-controls = Controls of the video call
call-microphone = Microphone
call-camera = Camera
call-on = on
call-off = off
call-microphone-is-on = Microphone on. Others can hear you.
call-microphone-is-off = Microphone off. Others cannot hear you.
call-camera-is-on = Camera on. Others can see you.
call-camera-is-off = Camera off. Others cannot see you.
call-show = Show
call-more = More
call-hang-up = Hang up

## Showing something

show-heading = What would you like to show?
show-screen = Share the screen
show-screen-hint = You will choose a window or the whole screen.
show-paper = Show a document with the camera
show-paper-hint = Lay the paper down flat, in good light.
show-file = Show a photo or PDF
show-file-hint = The file stays on your device. The others only see the picture.
show-file-opening = Your file is being opened …
show-file-failed = This file cannot be shown. Please choose a photo or a PDF. You can also send the file under “Messages”.
show-file-locked = This PDF can only be opened with a password. Please save it without one. Or open it on your device and share your screen.
show-failed = This cannot be shown at the moment. Perhaps your browser has not allowed it.
showing-screen = You are sharing your screen
showing-paper = You are showing a document
showing-photo = You are showing a photo
showing-pdf = You are showing a PDF
showing-pages = Pages
showing-page = Page { $page } of { $count }
showing-page-failed = This page cannot be shown. The others still see page { $page }.
showing-back = Previous page
showing-on = Next page
showing-text = Everybody in the conversation sees it.
showing-stop = Stop showing
showing-preview = This is what the others see
showing-torch = Light
showing-ended = You are not showing anything any more.
shown-by = { $name } is showing something
shown-zoom-in = Larger
shown-zoom-out = Smaller
shown-zoom = { $percent } percent
shown-fullscreen = Whole screen

## Settings in the call

more-heading = Settings
more-device-default = Chosen by the device
more-camera-failed = This camera does not work right now. Your picture comes from another one.
more-microphone-failed = This microphone does not work right now. Your sound comes from another one.
more-speaker-failed = This speaker does not work right now. The sound comes from another one.
more-saving = Sound only, no pictures
more-saving-hint = Saves data and helps with a weak network.
more-live-text = Real-time text
more-live-text-hint = Whoever can read it sees your message while you are still typing. The program at the office may not be able to.
more-blur = Blur the background
more-blur-hint = Others see only you. Your picture stays on your device for this. The first time, about 3 megabytes are loaded. On slow devices the picture may stutter.
blur-loading = Getting the blurred background ready …
blur-blurred = Your background is blurred now.
blur-clear = Your background can be seen again.
blur-failed = The background cannot be blurred right now. Your picture stays as it was. The conversation goes on.
blur-hidden = The background cannot be blurred right now. That is why your camera is still off. You can switch it on anyway. The conversation goes on.
more-pip = Picture in a small window
more-keys = Keys: Alt and M for the microphone, Alt and K for the camera, Alt and A to hang up.

quality-excellent = Your connection is very good.
quality-good = Your connection is good.
quality-poor = Your connection is weak. Move closer to your Wi-Fi device or close other programs.
quality-lost = Your connection is interrupted.
quality-unknown = We are still checking your connection.
saving-on = There is sound only, no pictures.
saving-why = Your connection is weak. Without pictures you understand each other better.
saving-end = Switch pictures on again
